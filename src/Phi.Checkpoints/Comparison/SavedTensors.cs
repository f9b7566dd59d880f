using System.Runtime.InteropServices;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Comparison;

/// <summary>Weights and moments of a checkpoint by tensor, put together from its shards; each byte is checked as it is read. One thread at a time.</summary>
internal sealed class SavedTensors(CheckpointStore store, CheckpointManifest manifest)
{
    private readonly Dictionary<int, ShardReader> _shards = [];

    /// <summary>By name: the region that holds it, and its place there.</summary>
    public IReadOnlyDictionary<string, (UnitEntry Region, TensorEntry Tensor)> All { get; } =
        manifest.Units.SelectMany(region => region.Tensors.Select(tensor => (region, tensor))).ToDictionary(pair => pair.tensor.Name, StringComparer.Ordinal);

    /// <param name="first">In elements from the tensor's start.</param>
    /// <exception cref="CheckpointException">A shard cannot be read, or is damaged.</exception>
    public unsafe void Read(string tensor, string kind, long first, Span<float> into)
    {
        var (region, entry) = All[tensor];
        if (region.ShardLength < 1 || (entry.Offset + first + into.Length - 1) / region.ShardLength >= manifest.Shards.Count)
        {
            throw new CheckpointException($"{StorageNames.Describe(store.UriOf(manifest.Step))}: its {manifest.Shards.Count} shards of {region.ShardLength} elements do not hold {tensor}; its manifest is damaged");
        }

        fixed (float* memory = into)
        {
            for (long at = entry.Offset + first, end = at + into.Length, start = at; at < end;)
            {
                var (shard, within) = Math.DivRem(at, region.ShardLength);
                var count = Math.Min(end - at, region.ShardLength - within);
                Shard((int)shard).Read($"{region.Name}.{kind}", within * sizeof(float), (byte*)(memory + (at - start)), count * sizeof(float));
                at += count;
            }
        }
    }

    private ShardReader Shard(int index) => CollectionsMarshal.GetValueRefOrAddDefault(_shards, index, out _) ??= new ShardReader(store, manifest.Step, manifest.Shards[index]);
}
