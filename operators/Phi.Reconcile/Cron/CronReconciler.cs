using System.Collections.Immutable;
using Phi.Api.CronTrainingJobs;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>
/// What happens to a CronTrainingJob next, by the rules of Kubernetes' CronJob controller: of all due times that were not run only the
/// newest is, if it is not too late and its policy lets it.
/// </summary>
public static class CronReconciler
{
    public static CronDecision Decide(CronSnapshot snapshot)
    {
        var status = new CronStatusBuilder(snapshot);
        var history = CronHistory.Surplus(snapshot);
        if (snapshot.Calendar is not { } calendar || !snapshot.Errors.IsEmpty)
        {
            return Held("InvalidSpec", string.Join("; ", snapshot.Errors), isWarning: true);
        }

        if (snapshot.Cron.Metadata.DeletionTimestamp is not null)
        {
            return Held("Deleting", "it is being deleted; its jobs go with it");
        }

        if (snapshot.Cron.Spec.Suspend == true)
        {
            return Held("Suspended", "it is suspended; set spec.suspend to false to go on");
        }

        var next = calendar.Next(snapshot.Now);
        status.NextScheduleTime(next);
        var since = Earliest(snapshot);
        return calendar.Newest(since, snapshot.Now) is { } due
            ? Run(snapshot, calendar, status, history, due, next)
            : Wait(snapshot, calendar, status, history, next);

        CronDecision Held(string reason, string message, bool isWarning = false) => status.Decide(history, false, reason, message, null) with { IsWarning = isWarning };
    }

    /// <summary>What to say when the API server refuses a job; nothing counts as run.</summary>
    public static CronDecision NotCreated(CronSnapshot snapshot, string job, string problem)
    {
        var status = new CronStatusBuilder(snapshot);
        status.NextScheduleTime(snapshot.Calendar?.Next(snapshot.Now));
        return status.Decide([], false, "FailedCreate", $"job {job} was not created, and is tried again: {problem}", null) with { IsWarning = true };
    }

    /// <summary>The time from which on unrun times still matter.</summary>
    private static DateTimeOffset Earliest(CronSnapshot snapshot)
    {
        var since = snapshot.LastScheduleTime ?? snapshot.Cron.Metadata.CreationTimestamp ?? snapshot.Now;
        return Deadline(snapshot) is { } deadline && snapshot.Now - deadline > since ? snapshot.Now - deadline : since;
    }

    private static CronDecision Run(CronSnapshot snapshot, CronCalendar calendar, CronStatusBuilder status, ImmutableArray<CronAction> history, DateTimeOffset due, DateTimeOffset? next)
    {
        var active = snapshot.Active.ToList();
        var policy = snapshot.Cron.Spec.ConcurrencyPolicy ?? "Forbid";
        if (policy == "Forbid" && active.Count > 0)
        {
            // A later end may still let it run; past its deadline it is one of the missed.
            var message = $"the run of {UtcText.Of(due)} waits: {Names(active)} has not finished, and concurrencyPolicy is Forbid";
            return status.Decide(history, false, "JobAlreadyActive", message, Earlier(next, due + Deadline(snapshot)));
        }

        var missed = calendar.Count(snapshot.LastScheduleTime ?? snapshot.Cron.Metadata.CreationTimestamp ?? due, due);
        var job = CronTemplate.Scheduled(snapshot.Cron, due);
        var replaced = policy == "Replace"
            ? active.Where(one => one.Metadata.DeletionTimestamp is null).Select(CronAction (one) => new CronAction.DeleteJob(one.Metadata.Name!, one.Metadata.Uid!, $"the run of {UtcText.Of(due)} replaces it"))
            : [];
        status.Scheduled(due, Math.Min(missed, CronCalendar.CountLimit), job.Metadata.Name!, isReplacing: policy == "Replace");
        var text = $"created job {job.Metadata.Name} for {UtcText.Of(due)}";
        var (reason, isWarning) = ("Scheduled", false);
        if (missed > CronCalendar.CountLimit)
        {
            (reason, isWarning) = ("TooManyMissed", true);
            text += $"; more than {CronCalendar.CountLimit} earlier runs were missed: set or lower spec.startingDeadlineSeconds, or check the clock";
        }
        else if (missed > 0)
        {
            text += $"; {missed} earlier {(missed == 1 ? "run was" : "runs were")} missed, and only the newest is made up for";
        }

        return status.Decide([.. history, .. replaced, new CronAction.CreateJob(job)], true, reason, text, next) with { IsWarning = isWarning };
    }

    private static CronDecision Wait(CronSnapshot snapshot, CronCalendar calendar, CronStatusBuilder status, ImmutableArray<CronAction> history, DateTimeOffset? next)
    {
        if (next is not { } at)
        {
            return status.Decide(history, false, "NeverDue", $"spec.schedule: {snapshot.Cron.Spec.Schedule}: has no due time in the next nine years; choose days that exist", null) with { IsWarning = true };
        }

        var last = snapshot.LastScheduleTime ?? snapshot.Cron.Metadata.CreationTimestamp ?? snapshot.Now;
        if (calendar.Newest(last, snapshot.Now) is { } late)
        {
            var message = $"the run of {UtcText.Of(late)} was missed: it did not start within startingDeadlineSeconds ({snapshot.Cron.Spec.StartingDeadlineSeconds}); the next is due at {UtcText.Of(at)}";
            return status.Decide(history, true, "MissedDeadline", message, next) with { IsWarning = true };
        }

        return status.Decide(history, true, "Scheduled", $"the next run is due at {UtcText.Of(at)}", next);
    }

    private static TimeSpan? Deadline(CronSnapshot snapshot) => snapshot.Cron.Spec.StartingDeadlineSeconds is { } seconds and < int.MaxValue ? TimeSpan.FromSeconds(seconds) : null;

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;

    private static string Names(List<TrainingJob> jobs) => string.Join(", ", jobs.Select(job => job.Metadata.Name));
}
