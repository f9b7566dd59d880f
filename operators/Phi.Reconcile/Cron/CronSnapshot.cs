using System.Collections.Immutable;
using Phi.Api.CronTrainingJobs;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>Everything that a decision on a CronTrainingJob may depend on, the time included.</summary>
public sealed record CronSnapshot
{
    public required CronTrainingJob Cron { get; init; }

    /// <summary>What is wrong with its spec; empty if it is good.</summary>
    public required ImmutableArray<ValidationError> Errors { get; init; }

    /// <summary>The parsed schedule and its zone; null if there are errors.</summary>
    public CronCalendar? Calendar { get; init; }

    /// <summary>Jobs that it controls, in any state.</summary>
    public required ImmutableArray<TrainingJob> Jobs { get; init; }

    public required DateTimeOffset Now { get; init; }

    public CronTrainingJobStatus Status => Cron.Status ?? new CronTrainingJobStatus();

    public IEnumerable<TrainingJob> Active => Jobs.Where(job => job.Status?.Phase is not (TrainingPhase.Succeeded or TrainingPhase.Failed)).OrderBy(job => job.Metadata.Name, StringComparer.Ordinal);

    /// <summary>
    /// The newest due time that was run. A job says so before the status does: whoever created it may have stopped before writing that.
    /// </summary>
    public DateTimeOffset? LastScheduleTime => Jobs.Select(CronTemplate.ScheduledTime).Append(Status.LastScheduleTime).Max();
}
