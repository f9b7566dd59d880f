using Phi.Api.TrainingJobs;

namespace Phi.Api.CronTrainingJobs;

/// <summary>Checks a CronTrainingJob as the user wrote it, the template of its jobs included. Reports every error, not the first.</summary>
public static class CronTrainingJobValidator
{
    /// <summary>A job's name is its own with a dash and the minutes since 1970, and a label's value has at most 63 characters.</summary>
    public const int LongestName = 52;

    private static readonly string[] Policies = ["Allow", "Forbid", "Replace"];

    public static IReadOnlyList<ValidationError> Validate(CronTrainingJob cron)
    {
        var errors = new ErrorList();
        var spec = cron.Spec;
        if (cron.Metadata.Name is { Length: > LongestName } name)
        {
            errors.Add("metadata.name", name, $"must have at most {LongestName} characters, for its jobs' names add 11 to it", "create it again with a shorter name");
        }

        errors.Required("spec.schedule", spec.Schedule, "write five cron fields, such as 0 3 * * 1");
        if (!string.IsNullOrEmpty(spec.Schedule) && !CronSchedule.TryParse(spec.Schedule, out _, out var problem))
        {
            errors.Add("spec.schedule", spec.Schedule, problem.Value.Rule, problem.Value.Remedy);
        }

        if (Zone(spec.TimeZone) is null)
        {
            errors.Add("spec.timeZone", spec.TimeZone, "must be an IANA time zone that the operator's machine knows", "write one such as Etc/UTC or Europe/Zurich");
        }

        errors.OneOf("spec.concurrencyPolicy", spec.ConcurrencyPolicy, Policies);
        errors.Range("spec.startingDeadlineSeconds", spec.StartingDeadlineSeconds, 0, long.MaxValue, "leave it out for no deadline");
        errors.Range("spec.successfulJobsHistoryLimit", spec.SuccessfulJobsHistoryLimit, 0, int.MaxValue, "write 0 to keep none");
        errors.Range("spec.failedJobsHistoryLimit", spec.FailedJobsHistoryLimit, 0, int.MaxValue, "write 0 to keep none");
        Template(cron, errors);
        return errors.Errors;
    }

    /// <summary>The zone of that name, Etc/UTC for none; null if there is no such zone.</summary>
    public static TimeZoneInfo? Zone(string? name) =>
        name is null ? TimeZoneInfo.Utc
        : name is not ("" or "Local") && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;

    private static void Template(CronTrainingJob cron, ErrorList errors)
    {
        if (cron.Spec.JobTemplate?.Spec is not { } spec)
        {
            errors.Add("spec.jobTemplate.spec", null, "must be given", "describe the jobs to create, as in a TrainingJob's spec");
            return;
        }

        foreach (var error in TrainingJobValidator.Validate(new TrainingJob { Metadata = cron.Metadata, Spec = spec }))
        {
            errors.Add($"spec.jobTemplate.{error.Field}", error.Value, error.Rule, error.Remedy);
        }
    }
}
