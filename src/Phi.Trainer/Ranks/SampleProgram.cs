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

    private static unsafe List<float[]> Weights(CheckpointManifest manifest, FolderCheckpointStore store)
    {
        // A shard file holds weights and both moments of every unit; reading checks all of them against the digest.
        var units = manifest.Units.Select(unit => new float[unit.ShardLength * manifest.WorldSize]).ToList();
        for (var rank = 0; rank < manifest.WorldSize; rank++)
        {
            var buffers = new List<nint>();
            try
            {
                var tensors = new List<ShardTensor>();
                foreach (var unit in manifest.Units)
                {
                    foreach (var part in new[] { "weights", "first_moments", "second_moments" })
                    {
                        var memory = NativeMemory.Alloc((nuint)unit.ShardLength, sizeof(float));
                        buffers.Add((nint)memory);
                        tensors.Add(new ShardTensor($"{unit.Name}.{part}", (float*)memory, unit.ShardLength));
                    }
                }

                store.ReadShard(manifest.Step, manifest.Shards[rank], tensors);
                foreach (var (index, unit) in manifest.Units.Index())
                {
                    new Span<float>(tensors[index * 3].Values, checked((int)unit.ShardLength)).CopyTo(units[index].AsSpan(checked((int)(rank * unit.ShardLength))));
                }
            }
            finally
            {
                buffers.ForEach(buffer => NativeMemory.Free((void*)buffer));
            }
        }

        return units;
    }
}
