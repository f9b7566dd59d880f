using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.Resharding;

/// <summary>
/// What one shard of a job needs of a checkpoint that was cut for another number of ranks, another zero.stage or another block. A region's
/// shards lie side by side in both, so a wanted shard is a run of elements that one or more saved ones hold.
/// </summary>
public sealed record ReshardPlan
{
    /// <summary>By saved shard, then in the order of the regions; nothing twice, and no padding.</summary>
    public required IReadOnlyList<ReshardRange> Ranges { get; init; }

    /// <summary>The wanted shard's index; every state that belongs to it alone lies in the saved shard of this index if <see cref="IsSameCut"/>.</summary>
    public required int Place { get; init; }

    /// <summary>Whether there are as many shards as were saved, cut at the same elements.</summary>
    public required bool IsSameCut { get; init; }

    /// <param name="wanted">The job's regions, as <see cref="ShardLayout.Regions"/> lists them.</param>
    /// <param name="place">Which of the <paramref name="places"/> shards is wanted. Stage 0 has one place, and every rank wants it.</param>
    /// <exception cref="CheckpointException">The checkpoint's regions are not those of the job's model.</exception>
    public static ReshardPlan Of(CheckpointManifest manifest, IReadOnlyList<UnitEntry> wanted, int place, int places)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(place);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(place, places);
        var saved = manifest.Units.ToDictionary(region => region.Name, StringComparer.Ordinal);
        var ranges = new List<ReshardRange>();
        var isSameCut = manifest.WorldSize == places;
        foreach (var region in wanted)
        {
            if (!saved.TryGetValue(region.Name, out var from))
            {
                throw new CheckpointException($"checkpoint of step {manifest.Step} has no {region.Name}; it is of another model: keep the model, or save to another folder");
            }

            Check(manifest, from, region);
            isSameCut &= from.ShardLength == region.ShardLength;
            ranges.AddRange(RangesOf(from, region, place));
        }

        return new ReshardPlan { Ranges = [.. ranges.OrderBy(range => range.Shard)], Place = place, IsSameCut = isSameCut };
    }

    private static IEnumerable<ReshardRange> RangesOf(UnitEntry saved, UnitEntry wanted, int place)
    {
        var start = place * wanted.ShardLength;
        var end = Math.Min(start + wanted.ShardLength, wanted.Length);
        for (var at = start; at < end;)
        {
            var (shard, within) = Math.DivRem(at, saved.ShardLength);
            var count = Math.Min(end - at, saved.ShardLength - within);
            foreach (var kind in ShardLayout.Kinds)
            {
                yield return new ReshardRange(checked((int)shard), $"{wanted.Name}.{kind}", within * sizeof(float), count * sizeof(float), (at - start) * sizeof(float));
            }

            at += count;
        }
    }

    private static void Check(CheckpointManifest manifest, UnitEntry saved, UnitEntry wanted)
    {
        if (saved.Length != wanted.Length || !saved.Tensors.Select(OffsetOf).SequenceEqual(wanted.Tensors.Select(OffsetOf)))
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} has other tensors in {saved.Name} ({saved.Length} elements) than this job's model ({wanted.Length}); keep the model, or save to another folder");
        }

        if (saved.ShardLength < 1 || (Int128)saved.ShardLength * manifest.WorldSize < saved.Length)
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} says that {manifest.WorldSize} shards of {saved.ShardLength} elements hold the {saved.Length} of {saved.Name}; its manifest is damaged: remove that checkpoint");
        }

        static (string, long) OffsetOf(TensorEntry tensor) => (tensor.Name, tensor.Offset);
    }
}
