using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Stores;

namespace Phi.Benchmarks.Benches;

/// <summary>Weights and moments of a model in the memory of so many ranks.</summary>
internal sealed unsafe class RankShards : IDisposable
{
    private readonly ModelConfiguration _model;
    private readonly List<UnitEntry> _regions;
    private readonly List<List<ShardTensor>> _ranks = [];

    public RankShards(ModelConfiguration model, int ranks)
    {
        _model = model;
        _regions = [.. UnitLayout.Of(model).SelectMany(unit => ShardLayout.Regions(unit, ShardLayout.MatrixShard(unit, ranks, ShardLayout.DefaultAlignment), ShardLayout.VectorShard(unit, ranks)))];
        for (var rank = 0; rank < ranks; rank++)
        {
            _ranks.Add([.. from region in _regions from kind in ShardLayout.Kinds select new ShardTensor($"{region.Name}.{kind}", (float*)NativeMemory.AllocZeroed((nuint)region.ShardLength, sizeof(float)), region.ShardLength)]);
        }
    }

    /// <summary>Random bits in all but the padding.</summary>
    public void Fill(int seed)
    {
        var random = new Random(seed);
        ForEachPart(part => random.NextBytes(part));
    }

    /// <summary>Digest of all elements without their padding: the same however they are cut.</summary>
    public string Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ForEachPart(part => hash.AppendData(part));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public CheckpointManifest Save(CheckpointStore store, long step)
    {
        var manifest = new CheckpointManifest
        {
            Step = step,
            RunId = "bench",
            Attempt = 1,
            Seed = 1,
            WorldSize = _ranks.Count,
            Time = DateTimeOffset.UnixEpoch,
            Model = _model.ToDimensions(),
            Units = _regions,
            Shards = [.. _ranks.Select((tensors, rank) => store.WriteShard(step, 1, rank, _ranks.Count, tensors))],
        };
        store.Commit(manifest);
        return manifest;
    }

    /// <summary>Loads every rank's shard, one rank after the other; returns the bytes that all of them need.</summary>
    public long Load(CheckpointStore store, CheckpointManifest manifest)
    {
        var needed = 0L;
        foreach (var (rank, tensors) in _ranks.Index())
        {
            var plan = ReshardPlan.Of(manifest, _regions, rank, _ranks.Count);
            needed += plan.Ranges.Sum(range => range.Bytes);
            _ = CheckpointLoader.Load(store, manifest, plan, tensors);
        }

        return needed;
    }

    public void Dispose()
    {
        foreach (var tensor in _ranks.SelectMany(tensors => tensors))
        {
            NativeMemory.Free(tensor.Values);
        }
    }

    private void ForEachPart(SpanAction visit)
    {
        foreach (var (index, region) in (from region in _regions from kind in ShardLayout.Kinds select region).Index())
        {
            for (var rank = 0; rank < _ranks.Count; rank++)
            {
                var count = Math.Clamp(region.Length - rank * region.ShardLength, 0, region.ShardLength);
                visit(new Span<byte>(_ranks[rank][index].Values, checked((int)(count * sizeof(float)))));
            }
        }
    }

    private delegate void SpanAction(Span<byte> part);
}
