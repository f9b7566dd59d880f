using System.Collections.Immutable;
using Phi.Api.CronTrainingJobs;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>The next status: what the last one said, with what has changed.</summary>
internal sealed class CronStatusBuilder
{
    /// <summary>Whether runs start at their times.</summary>
    private const string Condition = "Scheduling";

    private readonly CronSnapshot _snapshot;
    private readonly CronTrainingJobStatus _status;

    public CronStatusBuilder(CronSnapshot snapshot)
    {
        _snapshot = snapshot;
        var old = snapshot.Status;
        _status = new CronTrainingJobStatus
        {
            ObservedGeneration = snapshot.Cron.Metadata.Generation,
            Active = [.. snapshot.Active.Select(job => job.Metadata.Name!)],
            LastScheduleTime = snapshot.LastScheduleTime,
            LastSuccessfulTime = snapshot.Jobs.Where(job => job.Status?.Phase == TrainingPhase.Succeeded).Select(job => job.Status!.CompletionTime).Append(old.LastSuccessfulTime).Max(),
            MissedRuns = old.MissedRuns ?? 0,
        };
    }

    public void NextScheduleTime(DateTimeOffset? next) => _status.NextScheduleTime = next;

    public void Scheduled(DateTimeOffset due, int missed, string job, bool isReplacing)
    {
        _status.LastScheduleTime = due;
        _status.MissedRuns += missed;
        _status.Active = isReplacing ? [job] : [.. _status.Active!, job];
    }

    public CronDecision Decide(ImmutableArray<CronAction> actions, bool isTrue, string reason, string message, DateTimeOffset? wakeAt)
    {
        var old = _snapshot.Status.Conditions?.Find(condition => condition.Type == Condition);
        var text = isTrue ? "True" : "False";
        _status.Conditions =
        [
            new Condition
            {
                Type = Condition,
                Status = text,
                Reason = reason,
                Message = message,
                LastTransitionTime = old?.Status == text ? old.LastTransitionTime : _snapshot.Now,
                ObservedGeneration = _snapshot.Cron.Metadata.Generation,
            },
        ];
        return new CronDecision { Actions = actions, Status = _status, Reason = reason, Message = message, WakeAt = wakeAt };
    }
}
