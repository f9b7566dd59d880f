using Phi.Api.TrainingJobs;
using Phi.Checkpoints;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Dashboard.Actions;

/// <summary>A job's checkpoints where they are stored: what is there, and what people do with it.</summary>
internal sealed class CheckpointActions(ActionGate gate, TimeProvider time)
{
    /// <summary>What is stored of each step; none while nothing is committed.</summary>
    /// <exception cref="CheckpointException">The place is not there for this process.</exception>
    /// <exception cref="StorageException">It does not answer, or refuses.</exception>
    public static Task<IReadOnlyDictionary<long, StoredStep>> ReadAsync(TrainingJob job) => Task.Run<IReadOnlyDictionary<long, StoredStep>>(() =>
    {
        if (job.Status?.Checkpoint?.Uri is null || job.Spec.Phi is null)
        {
            return new Dictionary<long, StoredStep>();
        }

        using var store = Open(job);
        return new StoreRetention(store).Steps().ToDictionary(step => step.Step);
    });

    public Task<ActionOutcome> PinAsync(TrainingJob job, long step) => gate.TryAsync(PersonAction.Pin, Target(job), $"step {step}", who => Task.Run(() =>
    {
        using var store = Open(job);
        new StoreRetention(store).Pin(step, new CheckpointPin(who, time.GetUtcNow(), "pinned on the dashboard"));
        return $"The checkpoint of step {step} stays, whatever the job's retention says.";
    }));

    public Task<ActionOutcome> UnpinAsync(TrainingJob job, long step) => gate.TryAsync(PersonAction.Unpin, Target(job), $"step {step}", _ => Task.Run(() =>
    {
        using var store = Open(job);
        return new StoreRetention(store).Unpin(step) ? $"The checkpoint of step {step} is left to the job's retention." : $"The checkpoint of step {step} was not pinned.";
    }));

    /// <summary>Reads every byte of a checkpoint and compares the digests.</summary>
    /// <param name="onShare">Hears of the share that is done, from 0 to 1.</param>
    public Task<ActionOutcome> VerifyAsync(TrainingJob job, long step, Action<double> onShare, CancellationToken ct) => gate.TryAsync(PersonAction.Verify, Target(job), $"step {step}", _ => Task.Run(
        () =>
        {
            using var store = Open(job);
            var manifest = store.ReadManifest(step);
            var (done, total) = (0L, Math.Max(1, manifest.Shards.Sum(shard => shard.Bytes)));
            store.Verify(manifest, bytes => onShare((done += bytes) / (double)total), ct);
            return $"The checkpoint of step {step} is good: every digest of its {manifest.Shards.Count} shards is right.";
        },
        ct));

    private static CheckpointStore Open(TrainingJob job) => new(CheckpointLocation.Open(CheckpointLocation.Parse(job.Status!.Checkpoint!.Uri!).Root));

    private static ActionTarget Target(TrainingJob job) => new("TrainingJob", job.Metadata.Namespace!, job.Metadata.Name!);
}
