using System.Runtime.InteropServices;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Weights;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>What an import wrote; <c>--output json</c> prints this.</summary>
public sealed record ImportSummary(string Checkpoint, int Shards, int Tensors, long Parameters, long Bytes, long Seed, IReadOnlyDictionary<string, int> Model);

/// <summary>Commits a model's weights as the checkpoint of step 0, with zero moments: a job whose checkpoint folder it is starts from them.</summary>
public static class HuggingFaceImport
{
    private const string RunId = "import";

    /// <param name="root">The folder or address of the job's checkpoints; it must hold none.</param>
    /// <exception cref="CheckpointException">The root holds checkpoints, an option does not fit the model, or a value cannot be read.</exception>
    public static ImportSummary Write(IModelWeights from, string root, ImportOptions options, TimeProvider time, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var model = from.Model with { SequenceLength = SequenceLength(from.Model, options) };
        using var store = new CheckpointStore(CheckpointLocation.Open(root));
        if (store.CommittedSteps() is [var newest, ..])
        {
            throw new CheckpointException($"'{root}' holds a checkpoint of step {newest}, which a job would continue instead; name another folder");
        }

        var place = StorageNames.Describe(store.UriOf(0));
        try
        {
            // What an interrupted import left is not committed, and of no use.
            store.Remove(0);
            var manifest = WriteShards(from, model, store, options, time, progress, cancellationToken);
            _ = TokenizerFolder.Copy(from, (name, content) => store.WriteFile(0, name, content));
            return store.Commit(manifest)
                ? new ImportSummary(place, options.Shards, manifest.Units.Sum(region => region.Tensors.Count), manifest.Units.Sum(region => region.Length), manifest.Shards.Sum(shard => shard.Bytes), options.Seed, manifest.Model)
                : throw new CheckpointException($"{place} was committed by another process meanwhile; name another folder");
        }
        catch (Exception e)
        {
            if (store.CommittedSteps().Count == 0)
            {
                store.Remove(0);
            }

            if (e is IOException or UnauthorizedAccessException or StorageException)
            {
                throw new CheckpointException($"'{root}' cannot be written: {e.Message}", e);
            }

            throw;
        }
    }

    private static CheckpointManifest WriteShards(IModelWeights from, ModelConfiguration model, CheckpointStore store, ImportOptions options, TimeProvider time, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var regions = UnitLayout.Of(model).SelectMany(unit => ShardLayout.Regions(unit, ShardLayout.MatrixShard(unit, options.Shards, options.Alignment), ShardLayout.VectorShard(unit, options.Shards))).ToList();
        var (done, total) = (0L, regions.Sum(region => region.ShardLength) * sizeof(float) * ShardLayout.Kinds.Count * options.Shards);
        var shards = new List<ShardEntry>();
        for (var shard = 0; shard < options.Shards; shard++)
        {
            var place = shard;
            shards.Add(store.WriteShard(0, 0, shard, options.Shards, [.. regions.SelectMany(region => ShardLayout.Kinds.Select(kind => Tensor(region, kind, place)))], cancellationToken));
        }

        return new CheckpointManifest
        {
            Step = 0,
            RunId = RunId,
            Attempt = 0,
            Seed = options.Seed,
            WorldSize = options.Shards,
            Time = time.GetUtcNow(),
            Model = model.ToDimensions(),
            Units = regions,
            Shards = shards,
        };

        StreamedTensor Tensor(UnitEntry region, string kind, int shard) => new($"{region.Name}.{kind}", WeightType.F32, [region.ShardLength], (first, into) =>
        {
            into.Clear();
            if (kind == ShardLayout.Weights)
            {
                Fill(from, region, shard * region.ShardLength + first / sizeof(float), MemoryMarshal.Cast<byte, float>(into));
            }

            progress?.Report(new TransferProgress(done += into.Length, total));
        });
    }

    /// <summary>Consecutive values of a region; padding stays as it is.</summary>
    private static void Fill(IModelWeights from, UnitEntry region, long start, Span<float> into)
    {
        foreach (var tensor in region.Tensors)
        {
            var length = tensor.Shape.Aggregate(1L, (product, size) => product * size);
            var first = Math.Max(start, tensor.Offset);
            var end = Math.Min(start + into.Length, tensor.Offset + length);
            if (first < end)
            {
                from.Read(tensor.Name, first - tensor.Offset, into[(int)(first - start)..(int)(end - start)]);
            }
        }
    }

    private static int SequenceLength(ModelConfiguration model, ImportOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Shards, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Alignment, ShardLayout.DefaultAlignment);
        return options.SequenceLength is not { } wanted ? model.SequenceLength
            : wanted >= 1 && wanted <= model.SequenceLength ? wanted
            : throw new CheckpointException($"a sequence length of {wanted} must be from 1 to the model's {model.SequenceLength}; name one within");
    }
}
