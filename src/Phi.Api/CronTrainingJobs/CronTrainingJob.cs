using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.CronTrainingJobs;

/// <summary>Creates TrainingJobs on a schedule. Namespaced; short name <c>ctj</c>.</summary>
public sealed class CronTrainingJob
{
    public string ApiVersion { get; set; } = PhiNames.ApiVersion;
    public string Kind { get; set; } = "CronTrainingJob";
    public ObjectMeta Metadata { get; set; } = new();
    public CronTrainingJobSpec Spec { get; set; } = new();
    public CronTrainingJobStatus? Status { get; set; }
}

public sealed class CronTrainingJobSpec
{
    /// <summary>Five cron fields (minute, hour, day of month, month, day of week), or a macro such as @hourly. A local time that the zone skips is not run; one that it repeats is run twice.</summary>
    public string? Schedule { get; set; }
    /// <summary>IANA zone. Default Etc/UTC.</summary>
    public string? TimeZone { get; set; }
    /// <summary>Allow, Forbid or Replace. Default Forbid.</summary>
    public string? ConcurrencyPolicy { get; set; }
    /// <summary>True starts no further runs. Default false.</summary>
    public bool? Suspend { get; set; }
    /// <summary>A run that could not start at its time may start this much later. Null: at any later time.</summary>
    public long? StartingDeadlineSeconds { get; set; }
    /// <summary>Succeeded jobs that are kept. Default 3.</summary>
    public int? SuccessfulJobsHistoryLimit { get; set; }
    /// <summary>Failed jobs that are kept. Default 1.</summary>
    public int? FailedJobsHistoryLimit { get; set; }
    public TrainingJobTemplate? JobTemplate { get; set; }
}

public sealed class TrainingJobTemplate
{
    public ObjectMeta? Metadata { get; set; }
    public TrainingJobSpec? Spec { get; set; }
}

public sealed class CronTrainingJobStatus
{
    public long? ObservedGeneration { get; set; }
    public List<Condition>? Conditions { get; set; }
    /// <summary>Names of its jobs that have not finished.</summary>
    public List<string>? Active { get; set; }
    public DateTimeOffset? NextScheduleTime { get; set; }
    /// <summary>Times that were due and not run: too late, or the one before still ran.</summary>
    public int? MissedRuns { get; set; }
    public DateTimeOffset? LastScheduleTime { get; set; }
    public DateTimeOffset? LastSuccessfulTime { get; set; }
}
