using System.Collections.Concurrent;
using System.Collections.Immutable;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Operator.Observe;

/// <summary>
/// Jobs with every default and their errors, worked out once for each of a spec's generations: status, which changes all the time, adds nothing to
/// either. What is handed out is shared and not to be changed.
/// </summary>
/// <param name="trainerImage">Of jobs that name none.</param>
internal sealed class JobReader(string trainerImage = OperatorOptions.DefaultTrainerImage)
{
    private readonly ConcurrentDictionary<ResourceKey, Entry> _entries = new();

    private sealed record Entry(string? Uid, long? Generation, string? KueueQueue, TrainingJobSpec Spec, ImmutableArray<ValidationError> Errors);

    public (TrainingJob Job, ImmutableArray<ValidationError> Errors) Read(TrainingJob job)
    {
        if (!IsRunning(job))
        {
            return (Effective(job), FinishedJob.Is(job) ? [] : [.. TrainingJobValidator.Validate(job)]);
        }

        var key = new ResourceKey(job.Metadata.Namespace ?? "", job.Metadata.Name!);
        var queue = job.Metadata.Labels?.GetValueOrDefault(PhiNames.KueueQueueLabel);
        if (!_entries.TryGetValue(key, out var entry) || entry.Uid != job.Metadata.Uid || entry.Generation != job.Metadata.Generation || entry.KueueQueue != queue)
        {
            entry = new Entry(job.Metadata.Uid, job.Metadata.Generation, queue, Effective(job).Spec, [.. TrainingJobValidator.Validate(job)]);
            _entries[key] = entry;
        }

        return (new TrainingJob { ApiVersion = job.ApiVersion, Kind = job.Kind, Metadata = job.Metadata, Spec = entry.Spec, Status = job.Status }, entry.Errors);
    }

    /// <summary>The job is so now, or gone (null): what need not be remembered of it is forgotten.</summary>
    public void Observe(ResourceKey key, TrainingJob? job)
    {
        if (job is null || !IsRunning(job))
        {
            _entries.TryRemove(key, out _);
        }
    }

    private TrainingJob Effective(TrainingJob job)
    {
        var effective = TrainingJobDefaults.Apply(job);
        effective.Spec.Template!.Image ??= trainerImage;
        return effective;
    }

    /// <summary>Jobs that wait or have finished are many, and seldom looked at; those that run are looked at all the time.</summary>
    private static bool IsRunning(TrainingJob job) => job.Status?.Phase is TrainingPhase.Starting or TrainingPhase.Running or TrainingPhase.Restarting;
}
