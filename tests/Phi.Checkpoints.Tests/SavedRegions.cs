using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

/// <summary>A model's whole state in memory, written and read as the shards of a world.</summary>
internal sealed class SavedRegions
{
    private readonly ModelConfiguration _model;
    private readonly IReadOnlyList<UnitLayout> _units;
    private readonly Dictionary<string, byte[]> _state = new(StringComparer.Ordinal);

    /// <summary>Random bits: every value there is, NaN and infinity too.</summary>
    public SavedRegions(ModelConfiguration model, int seed)
    {
        (_model, _units) = (model, UnitLayout.Of(model));
        var random = new Random(seed);
        foreach (var (region, kind) in Cut(1).SelectMany(region => ShardLayout.Kinds.Select(kind => (region, kind))))
        {
            random.NextBytes(_state[$"{region.Name}.{kind}"] = new byte[region.Length * sizeof(float)]);
        }
    }

    /// <summary>One element of a region of a kind, such as layer-0.matrices.weights.</summary>
    public void Set(string region, int element, float value) => BitConverter.TryWriteBytes(_state[region].AsSpan(element * sizeof(float)), value);

    /// <summary>The regions in so many shards.</summary>
    public List<UnitEntry> Cut(int shards, long alignment = ShardLayout.DefaultAlignment) =>
        [.. _units.SelectMany(unit => ShardLayout.Regions(unit, ShardLayout.MatrixShard(unit, shards, alignment), ShardLayout.VectorShard(unit, shards)))];

    /// <summary>Shards of a world in a zero stage.</summary>
    public static int Shards(int world, int stage) => stage == 0 ? 1 : world;

    public CheckpointManifest Save(CheckpointStore store, int shards, long alignment = ShardLayout.DefaultAlignment, long step = 0)
    {
        var regions = Cut(shards, alignment);
        var manifest = new CheckpointManifest
        {
            Step = step, RunId = "run", Attempt = 1, Seed = 1, WorldSize = shards, Time = DateTimeOffset.UnixEpoch, Units = regions, Model = _model.ToDimensions(),
            Shards = [.. Enumerable.Range(0, shards).Select(shard => store.WriteShard(step, 1, shard, shards, [.. regions.SelectMany(region => ShardLayout.Kinds.Select(kind => Tensor(region, kind, shard)))], CancellationToken.None))],
        };
        Assert.True(store.Commit(manifest));
        return manifest;
    }

    /// <summary>Loads one shard into memory full of rubbish, and compares it with what it should hold.</summary>
    public void AssertLoads(ICheckpointFiles files, CheckpointManifest manifest, int place, int places, long alignment = ShardLayout.DefaultAlignment)
    {
        var wanted = Cut(places, alignment);
        var tensors = wanted.SelectMany(region => ShardLayout.Kinds.Select(kind => (Region: region, Kind: kind))).ToList();
        var memory = tensors.ConvertAll(tensor => Enumerable.Repeat(float.NaN, (int)tensor.Region.ShardLength).ToArray());
        var plan = ReshardPlan.Of(manifest, wanted, place, places);
        Assert.True(Pinned.With([.. memory], [.. tensors.Select(tensor => $"{tensor.Region.Name}.{tensor.Kind}")], into => CheckpointLoader.Load(files, manifest, plan, into)));
        foreach (var (tensor, values) in tensors.Zip(memory))
        {
            var expected = new byte[values.Length * sizeof(float)];
            Fill(tensor.Region, tensor.Kind, place, 0, expected);
            Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).SequenceEqual(expected), $"{tensor.Region.Name}.{tensor.Kind} of shard {place} of {places}");
        }
    }

    private StreamedTensor Tensor(UnitEntry region, string kind, int shard) =>
        new($"{region.Name}.{kind}", WeightType.F32, [region.ShardLength], (first, into) => Fill(region, kind, shard, first, into));

    /// <summary>Bytes of a shard of a region, from the first on; padding is zero.</summary>
    private void Fill(UnitEntry region, string kind, int shard, long first, Span<byte> into)
    {
        into.Clear();
        var whole = _state[$"{region.Name}.{kind}"];
        var start = Math.Min(whole.Length, shard * region.ShardLength * sizeof(float) + first);
        whole.AsSpan((int)start, (int)Math.Min(into.Length, whole.Length - start)).CopyTo(into);
    }
}
