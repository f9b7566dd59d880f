using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>An attempt from its start to its end: whether it goes on, is over, or another follows.</summary>
internal static class Attempts
{
    public static JobDecision Watch(JobSnapshot snapshot)
    {
        if (snapshot.Pods.Length >= snapshot.Replicas && snapshot.Pods.GroupBy(pod => pod.Index).All(group => group.Any(pod => pod.Phase == "Succeeded")))
        {
            return Finish(snapshot, TrainingPhase.Succeeded, "Completed", snapshot.HasAgents ? $"all {snapshot.Replicas * snapshot.PerReplica} ranks completed the training" : $"all {snapshot.Replicas} pods ended with exit code 0");
        }

        if (Withdrawal.Find(snapshot) is { } withdrawal)
        {
            return withdrawal;
        }

        if ((ContainerDisruption.Find(snapshot) ?? FailurePolicy.Find(snapshot) ?? ContainerHang.Find(snapshot)) is { } failure)
        {
            return Growth.End(snapshot, failure) ?? failure switch
            {
                { IsFatal: true } => Fail(snapshot, failure.Reason, failure.Message),
                { IsCharged: true } when !RestartPolicy.MayRestart(snapshot) =>
                    Fail(snapshot, "MaxRestartsExceeded", $"{failure.Message}; {RestartPolicy.Charged(snapshot)} charged restarts are all that recovery.maxRestarts allows"),
                _ => Next(snapshot, failure, DeletePods(snapshot.Pods.Where(pod => pod.HasEnded || !snapshot.HasAgents))),
            };
        }

        if (Growth.Ask(snapshot) is { } growing)
        {
            return growing;
        }

        var isTraining = snapshot.HasAgents
            ? snapshot.Agents.Any(agent => agent.Attempt == snapshot.Attempt && agent.Ranks.Any(rank => rank.State != RankState.Starting))
            : snapshot.Pods.Count(pod => pod.Phase is "Running" or "Succeeded") >= snapshot.Replicas;
        var builder = new StatusBuilder(snapshot);
        var message = isTraining ? $"attempt {snapshot.Attempt} is training" : $"attempt {snapshot.Attempt} is starting";
        if (isTraining)
        {
            builder.Phase(TrainingPhase.Running).Set(TrainingConditions.Training, true, "Training", message);
        }

        return new JobDecision
        {
            Actions = [],
            Status = builder.Build(),
            Reason = isTraining ? "Training" : "Starting",
            Message = message,
            RequeueAfter = FailurePolicy.IsUnsettled(snapshot) ? Soon : Withdrawal.Remaining(snapshot) ?? ContainerHang.Remaining(snapshot),
        };
    }

    public static JobDecision Next(JobSnapshot snapshot, AttemptFailure failure, ImmutableArray<JobAction> actions)
    {
        var charge = failure.IsCharged ? "charged" : "free";
        var message = $"attempt {snapshot.Attempt} ended: {failure.Message}; attempt {snapshot.Attempt + 1} follows ({charge})";
        return new JobDecision
        {
            Actions = actions,
            Status = new StatusBuilder(snapshot).NextAttempt(failure.IsCharged, isFirst: false).Phase(TrainingPhase.Restarting)
                .Set(TrainingConditions.Training, false, failure.Reason, message).Set(TrainingConditions.Requeued, true, failure.Reason, message).Build(),
            Reason = failure.Reason,
            Message = message,
            IsWarning = failure.IsCharged,
            RequeueAfter = TimeSpan.Zero,
        };
    }
}
