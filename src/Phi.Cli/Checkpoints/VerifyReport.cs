using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Stores;

namespace Phi.Cli.Checkpoints;

/// <summary>Which checkpoints are as their manifests say; <c>phi checkpoint verify --output json</c> prints this.</summary>
internal sealed record VerifyReport(string Location, bool IsGood, IReadOnlyList<VerifiedCheckpoint> Checkpoints)
{
    /// <exception cref="CheckpointException">There is none.</exception>
    public static VerifyReport Of(CheckpointSource source, CheckpointStore store, IProgress<TransferProgress> progress, CancellationToken cancellationToken)
    {
        var steps = source.Step is { } named ? [named] : store.CommittedSteps();
        if (steps.Count == 0)
        {
            throw new CheckpointException($"'{source.Name}' holds no checkpoint; name a folder such as step-00000300, or the one that holds it");
        }

        var manifests = steps.Select(step => (Step: step, Manifest: Try(() => store.ReadManifest(step)))).ToList();
        var (done, total) = (0L, manifests.Sum(one => one.Manifest.Value?.Shards.Sum(shard => shard.Bytes) ?? 0));
        List<VerifiedCheckpoint> checkpoints = [.. manifests.Select(one => Check(one.Step, one.Manifest.Value, one.Manifest.Problem))];
        return new VerifyReport(source.Root, checkpoints.TrueForAll(one => one.Problem is null), checkpoints);

        VerifiedCheckpoint Check(long step, CheckpointManifest? manifest, string? problem)
        {
            var bytes = manifest?.Shards.Sum(shard => shard.Bytes) ?? 0;
            problem ??= Try(() =>
            {
                store.Verify(manifest!, count => progress.Report(new TransferProgress(done += count, total)), cancellationToken);
                return manifest;
            }).Problem;
            return new VerifiedCheckpoint(step, manifest?.Shards.Count, bytes, problem);
        }
    }

    private static (CheckpointManifest? Value, string? Problem) Try(Func<CheckpointManifest?> read)
    {
        try
        {
            return (read(), null);
        }
        catch (CheckpointException e)
        {
            return (null, e.Message);
        }
    }
}

/// <param name="Shards">Null: the manifest cannot be read.</param>
/// <param name="Problem">Null: every digest is right.</param>
internal sealed record VerifiedCheckpoint(long Step, int? Shards, long Bytes, string? Problem);
