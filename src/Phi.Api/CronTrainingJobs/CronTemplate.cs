using System.Globalization;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Api.CronTrainingJobs;

/// <summary>From a CronTrainingJob to one of its jobs.</summary>
public static class CronTemplate
{
    /// <summary>The job of one due time. Its name depends on nothing else, so the time is run once however often it is tried.</summary>
    public static TrainingJob Scheduled(CronTrainingJob cron, DateTimeOffset due)
    {
        var seconds = due.ToUnixTimeSeconds();
        var job = Job(cron, string.Create(CultureInfo.InvariantCulture, $"{cron.Metadata.Name}-{seconds / 60}"));
        job.Metadata.Annotations![PhiNames.ScheduledTimeAnnotation] = seconds.ToString(CultureInfo.InvariantCulture);
        return job;
    }

    /// <summary>A job that a person asks for, outside of the schedule.</summary>
    public static TrainingJob Manual(CronTrainingJob cron, string name) => Job(cron, name);

    /// <summary>When the job was due; null: it was not created by the schedule.</summary>
    public static DateTimeOffset? ScheduledTime(TrainingJob job) =>
        job.Metadata.Annotations?.GetValueOrDefault(PhiNames.ScheduledTimeAnnotation) is { } text && long.TryParse(text, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 0 and < 253402300800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    public static bool IsOf(CronTrainingJob cron, ObjectMeta job) => job.OwnerReferences?.Exists(owner => owner.Controller == true && owner.Uid == cron.Metadata.Uid) == true;

    private static TrainingJob Job(CronTrainingJob cron, string name)
    {
        var template = cron.Spec.JobTemplate!;
        return new TrainingJob
        {
            Metadata = new ObjectMeta
            {
                Name = name,
                Namespace = cron.Metadata.Namespace,
                Labels = new Dictionary<string, string>(template.Metadata?.Labels ?? []) { [PhiNames.CronNameLabel] = cron.Metadata.Name! },
                Annotations = new Dictionary<string, string>(template.Metadata?.Annotations ?? []),
                OwnerReferences = [new OwnerReference { ApiVersion = PhiNames.ApiVersion, Kind = "CronTrainingJob", Name = cron.Metadata.Name!, Uid = cron.Metadata.Uid!, Controller = true, BlockOwnerDeletion = true }],
            },
            Spec = JsonSerializer.Deserialize<TrainingJobSpec>(JsonSerializer.Serialize(template.Spec, PhiJson.Options), PhiJson.Options)!,
        };
    }
}
