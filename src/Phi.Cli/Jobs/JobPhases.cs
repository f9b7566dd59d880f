using System.Globalization;
using Phi.Api.TrainingJobs;

namespace Phi.Cli.Jobs;

/// <summary>How a job stands, as people wait for it and are told of it.</summary>
internal static class JobPhases
{
    public static bool IsOver(TrainingJob job) => job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;

    /// <summary>Saved, as far as it is to be, and without pods.</summary>
    public static bool IsSuspended(TrainingJob job) => IsOver(job) || job.Status?.Phase == TrainingPhase.Suspended;

    /// <summary>The ranks train.</summary>
    public static bool IsTraining(TrainingJob job) => IsOver(job) || job.Status?.Phase == TrainingPhase.Running;

    /// <summary>Such as "Succeeded at step 300, loss 1.2345".</summary>
    public static string Words(TrainingJob job)
    {
        var progress = job.Status?.Progress;
        var step = progress?.Step is { } done ? string.Create(CultureInfo.InvariantCulture, $" at step {done}") : "";
        var loss = progress?.Loss is { } value ? string.Create(CultureInfo.InvariantCulture, $", loss {value:0.0000}") : "";
        return $"{job.Status?.Phase ?? TrainingPhase.Pending}{step}{loss}";
    }

    public static string FailureMessage(TrainingJob job) =>
        job.Status?.Conditions?.Find(condition => condition.Type == TrainingConditions.Finished) is { } condition ? $"{condition.Reason}: {condition.Message}" : "no reason is given";
}
