using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Resharding;

/// <summary>Fills a shard's memory from a checkpoint, however that was cut.</summary>
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
        var readers = new Dictionary<int, ShardReader>();
        Fill(Reader, plan, into);
        // At step 0 nothing is rounded off or scaled yet: an imported model has neither.
        var rest = into.Where(tensor => !ShardLayout.IsUnitState(tensor.Name)).ToLookup(tensor => ShardLayout.IsError(tensor.Name));
        if (manifest.Step > 0)
        {
            foreach (var tensor in rest[false])
            {
                Reader(readers.Count > 0 ? readers.Keys.Min() : 0).Read(tensor);
            }
        }

        var errors = rest[true].ToList();
        errors.ForEach(Clear);
        if (errors.Count == 0 || manifest.Step == 0)
        {
            return true;
        }

        if (!plan.IsSameCut || !errors.TrueForAll(tensor => Reader(plan.Place).Has(tensor.Name, tensor.Length)))
        {
            return false;
        }

        errors.ForEach(Reader(plan.Place).Read);
        return true;

        ShardReader Reader(int shard) => readers.TryGetValue(shard, out var reader) ? reader : readers[shard] = new ShardReader(files, manifest.Step, manifest.Shards[shard]);
    }

    private static unsafe void Fill(Func<int, ShardReader> readerOf, ReshardPlan plan, IReadOnlyList<ShardTensor> into)
    {
        var states = into.Where(tensor => ShardLayout.IsUnitState(tensor.Name)).ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        foreach (var tensor in states.Values)
        {
            Clear(tensor);
        }

        foreach (var range in plan.Ranges)
        {
            var tensor = states[range.Tensor];
            ArgumentOutOfRangeException.ThrowIfGreaterThan(range.Into + range.Bytes, tensor.Length * sizeof(float), range.Tensor);
            readerOf(range.Shard).Read(range.Tensor, range.First, (byte*)tensor.Values + range.Into, range.Bytes);
        }
    }

    private static unsafe void Clear(ShardTensor tensor) => System.Runtime.InteropServices.NativeMemory.Clear(tensor.Values, checked((nuint)(tensor.Length * sizeof(float))));
}
