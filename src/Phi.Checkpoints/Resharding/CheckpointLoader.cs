using System.Collections.Concurrent;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Resharding;

/// <summary>Fills a shard's memory from a checkpoint, however that was cut. Several ranges are read and checked at once.</summary>
public static class CheckpointLoader
{
    /// <summary>
    /// Reads weights and moments by the plan, and the rest by its kind: what every rank holds the same of (fp16's loss scale) from any
    /// shard; what error feedback kept from the shard of the same place, where the cut is the same. Padding becomes zero. After a failure
    /// the memory is partly filled.
    /// </summary>
    /// <param name="into">All that the shard holds, by the names that it was saved with.</param>
    /// <returns>Whether everything was there; false: errors of feedback fit no shard of this cut, and are zero.</returns>
    /// <exception cref="CheckpointException">A shard cannot be read, or is damaged.</exception>
    public static bool Load(ICheckpointFiles files, CheckpointManifest manifest, ReshardPlan plan, IReadOnlyList<ShardTensor> into)
    {
        var shards = new Shards(files, manifest);
        Fill(shards, plan, into);
        // At step 0 nothing is rounded off or scaled yet: an imported model has neither.
        var rest = into.Where(tensor => !ShardLayout.IsUnitState(tensor.Name)).ToLookup(tensor => ShardLayout.IsError(tensor.Name));
        if (manifest.Step > 0)
        {
            foreach (var tensor in rest[false])
            {
                shards.Any(plan).Read(tensor);
            }
        }

        var errors = rest[true].ToList();
        errors.ForEach(Clear);
        if (errors.Count == 0 || manifest.Step == 0)
        {
            return true;
        }

        if (!plan.IsSameCut || !errors.TrueForAll(tensor => shards[plan.Place].Has(tensor.Name, tensor.Length)))
        {
            return false;
        }

        errors.ForEach(shards[plan.Place].Read);
        return true;
    }

    /// <summary>Reads the weights alone; moments and errors become zero, and whatever else the shard holds stays as it is.</summary>
    /// <inheritdoc cref="Load"/>
    public static void LoadWeights(ICheckpointFiles files, CheckpointManifest manifest, ReshardPlan plan, IReadOnlyList<ShardTensor> into)
    {
        Fill(new Shards(files, manifest), plan with { Ranges = [.. plan.Ranges.Where(range => range.Tensor.EndsWith("." + ShardLayout.Weights, StringComparison.Ordinal))] }, into);
        foreach (var tensor in into.Where(tensor => ShardLayout.IsError(tensor.Name)))
        {
            Clear(tensor);
        }
    }

    private static void Fill(Shards shards, ReshardPlan plan, IReadOnlyList<ShardTensor> into)
    {
        var states = into.Where(tensor => ShardLayout.IsUnitState(tensor.Name)).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        foreach (var tensor in states.Values)
        {
            Clear(tensor);
        }

        foreach (var range in plan.Ranges)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(range.Into + range.Bytes, states[range.Tensor].Length * sizeof(float), range.Tensor);
        }

        // Headers and digests first: they are read once.
        ParallelReads.Run(plan.Ranges.Select(range => range.Shard).Distinct(), shard => _ = shards[shard]);
        ParallelReads.Run(
            plan.Ranges.SelectMany(range => ShardReader.Parts(range.First, range.Bytes).Select(part => (Range: range, part.First, part.Bytes))),
            part => Read(shards[part.Range.Shard], states[part.Range.Tensor], part.Range, part.First, part.Bytes));
    }

    private static unsafe void Read(ShardReader shard, ShardTensor tensor, ReshardRange range, long first, long bytes) =>
        shard.Read(range.Tensor, first, (byte*)tensor.Values + range.Into + (first - range.First), bytes);

    private static unsafe void Clear(ShardTensor tensor) => System.Runtime.InteropServices.NativeMemory.Clear(tensor.Values, checked((nuint)(tensor.Length * sizeof(float))));

    /// <summary>Readers of the shards that are touched, each opened once.</summary>
    private sealed class Shards(ICheckpointFiles files, CheckpointManifest manifest)
    {
        private readonly ConcurrentDictionary<int, Lazy<ShardReader>> _readers = new();

        public ShardReader this[int shard] => _readers.GetOrAdd(shard, index => new Lazy<ShardReader>(() => new ShardReader(files, manifest.Step, manifest.Shards[index]))).Value;

        /// <summary>One that the plan touches, so that no further one is opened.</summary>
        public ShardReader Any(ReshardPlan plan) => this[plan.Ranges.Count > 0 ? plan.Ranges.Min(range => range.Shard) : 0];
    }
}
