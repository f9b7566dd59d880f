using System.Runtime.InteropServices;
using System.Text;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;
using Phi.Training.Data;
using Phi.Training.Generation;
using Phi.Training.Model;

namespace Phi.Trainer.Ranks;

/// <summary>Prints text from a committed checkpoint.</summary>
internal static class SampleProgram
{
    /// <param name="folder">A checkpoint's folder, such as …/step-00000300.</param>
    public static int Run(string folder, string prompt, int tokens)
    {
        try
        {
            var manifest = Read(folder, out var store);
            var model = RankConfiguration.FromDimensions(manifest.Model);
            if (model.VocabularySize != ByteCorpus.EndOfText + 1)
            {
                throw new CheckpointException($"the checkpoint has a vocabulary of {model.VocabularySize}; this version generates text from byte-level models ({ByteCorpus.EndOfText + 1}) alone");
            }

            using var generator = new TextGenerator(model, Weights(manifest, store));
            Console.WriteLine(prompt + Encoding.UTF8.GetString(generator.Continue(Encoding.UTF8.GetBytes(prompt), tokens, seed: 1)));
            return 0;
        }
        catch (Exception e) when (e is CheckpointException or ArgumentException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static CheckpointManifest Read(string folder, out FolderCheckpointStore store)
    {
        var name = Path.GetFileName(folder.TrimEnd('/'));
        store = new FolderCheckpointStore(Path.GetDirectoryName(Path.GetFullPath(folder.TrimEnd('/')))!);
        return name.StartsWith("step-", StringComparison.Ordinal) && long.TryParse(name["step-".Length..], out var step)
            ? store.ReadManifest(step)
            : throw new ArgumentException($"'{folder}' is no checkpoint; name a folder such as step-00000300");
    }

    /// <summary>Every parameter's values, put together from the shards.</summary>
    private static unsafe Func<TensorLayout, ReadOnlyMemory<float>> Weights(CheckpointManifest manifest, FolderCheckpointStore store)
    {
        var regions = manifest.Units.Select(region => new float[region.ShardLength * manifest.WorldSize]).ToList();
        var pins = regions.ConvertAll(region => GCHandle.Alloc(region, GCHandleType.Pinned));
        try
        {
            for (var shard = 0; shard < manifest.WorldSize; shard++)
            {
                store.ReadShard(manifest.Step, manifest.Shards[shard], [.. manifest.Units.Zip(pins, (region, pin) =>
                    new ShardTensor($"{region.Name}.weights", (float*)pin.AddrOfPinnedObject() + shard * region.ShardLength, region.ShardLength))]);
            }
        }
        finally
        {
            pins.ForEach(pin => pin.Free());
        }

        var places = manifest.Units.Zip(regions, (region, values) => region.Tensors.Select(tensor => (tensor.Name, tensor.Offset, Values: values)))
            .SelectMany(tensors => tensors).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        return layout => places.TryGetValue(layout.Name, out var place)
            ? place.Values.AsMemory(checked((int)place.Offset), checked((int)layout.Length))
            : throw new CheckpointException($"the checkpoint's manifest has no tensor {layout.Name}");
    }
}
