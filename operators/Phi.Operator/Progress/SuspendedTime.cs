using Phi.Api.TrainingJobs;

namespace Phi.Operator.Progress;

/// <summary>How much of a time without steps a job was suspended, from what its status says of the ends of its attempts.</summary>
internal static class SuspendedTime
{
    /// <param name="from">The last step before it, or when the job was created.</param>
    /// <param name="until">The first step after it.</param>
    /// <returns>Seconds; a suspension counts from the last step, or from the end of the attempt before if that one had none.</returns>
    public static double Between(TrainingJob job, DateTimeOffset from, DateTimeOffset until)
    {
        var (seconds, since) = (0.0, from);
        foreach (var end in Ends(job).Where(end => end.Time > from && end.Time <= until))
        {
            seconds += end.Reason == InterruptionReasons.Resumed ? (end.Time!.Value - since).TotalSeconds : 0;
            since = end.Time!.Value;
        }

        return seconds;
    }

    /// <param name="from">The last step, or when the job was created.</param>
    /// <returns>Seconds; a suspension that lasts counts from when it was asked for.</returns>
    public static double Since(TrainingJob job, DateTimeOffset from, DateTimeOffset now)
    {
        var lasting = job.Status?.Conditions?.Find(condition => condition is { Type: TrainingConditions.Training, Status: "False", Reason: TrainingPhase.Suspended })?.LastTransitionTime;
        var last = Ends(job).LastOrDefault()?.Time;
        var begun = new[] { lasting, last, from }.Max()!.Value;
        return Between(job, from, now) + (lasting is null ? 0 : Math.Max(0, (now - begun).TotalSeconds));
    }

    private static IEnumerable<InterruptionStatus> Ends(TrainingJob job) => (job.Status?.Interruptions ?? []).OrderBy(end => end.Time);
}
