using System.Runtime.InteropServices;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;

namespace Phi.Cli.Tests;

/// <summary>Checkpoints of a small model, whose values follow from a seed.</summary>
internal static class SavedCheckpoints
{
    private static readonly ModelConfiguration Small = new() { Layers = 1, HiddenSize = 8, Heads = 2, RotaryDim = 4, MlpSize = 16, VocabularySize = 257, SequenceLength = 8 };

    public static void Save(string root, long step, int shards = 1, int seed = 1)
    {
        using var store = CheckpointStore.InFolder(root);
        List<UnitEntry> regions = [.. UnitLayout.Of(Small).SelectMany(unit => ShardLayout.Regions(unit, ShardLayout.MatrixShard(unit, shards, ShardLayout.DefaultAlignment), ShardLayout.VectorShard(unit, shards)))];
        var manifest = new CheckpointManifest
        {
            Step = step, RunId = "run", Attempt = 2, Seed = seed, WorldSize = shards, Time = DateTimeOffset.UnixEpoch.AddSeconds(step), Model = Small.ToDimensions(), Units = regions,
            Shards = [.. Enumerable.Range(0, shards).Select(shard => store.WriteShard(step, 2, shard, shards, [.. from region in regions from kind in ShardLayout.Kinds select Tensor(region, kind, shard, seed)], CancellationToken.None))],
        };
        Assert.True(store.Commit(manifest));
    }

    /// <summary>Element i of a region is the same however it is cut; padding is zero.</summary>
    private static StreamedTensor Tensor(UnitEntry region, string kind, int shard, int seed) => new($"{region.Name}.{kind}", WeightType.F32, [region.ShardLength], (first, into) =>
    {
        var values = MemoryMarshal.Cast<byte, float>(into);
        for (var i = 0; i < values.Length; i++)
        {
            var element = shard * region.ShardLength + first / sizeof(float) + i;
            values[i] = element < region.Length ? seed + element * 0.25f : 0;
        }
    });
}
