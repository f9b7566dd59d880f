using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>An attempt from its start to its end: whether it goes on, is over, or another follows.</summary>
internal static class Attempts
{
    private const string Left = "AttemptLeft";

    /// <summary>Before an attempt: what cannot be part of it goes, then the gang is completed.</summary>
    public static JobDecision Prepare(JobSnapshot snapshot)
    {
        var gang = new GangView(snapshot);
        var noticed = Noticed(gang);
        var builder = new StatusBuilder(snapshot).Exclude(noticed.Select(notice => notice.Node));
        var replaced = ReplacementPolicy.Replace(gang, builder.ExcludedNodes);
        if (replaced.IsEmpty)
        {
            var decision = Assembly.Assemble(snapshot);
            return decision with { RequeueAfter = Soonest(decision.RequeueAfter, SilencePolicy.Next(gang)) };
        }

        return new JobDecision
        {
            Actions = replaced,
            Status = builder.Build(),
            Reason = "Replacing",
            Message = $"attempt {snapshot.Attempt} goes on without {Count(replaced.Length)}: {string.Join(", ", replaced.OfType<JobAction.DeletePod>().Select(pod => pod.Name))}{string.Concat(noticed.Select(notice => $"; {notice.Message}"))}",
            RequeueAfter = Soon,
        };
    }

    /// <summary>Every replica of the attempt has succeeded.</summary>
    public static bool IsDone(JobSnapshot snapshot) =>
        snapshot.Status.Phase is TrainingPhase.Starting or TrainingPhase.Running
        && snapshot.Pods.Length >= snapshot.Replicas && snapshot.Pods.GroupBy(pod => pod.Index).All(group => group.Any(pod => pod.Phase == "Succeeded"));

    /// <summary>Every rank of the attempt has completed the training, whether or not its pod has ended.</summary>
    public static bool IsTrained(JobSnapshot snapshot)
    {
        var gang = new GangView(snapshot);
        return snapshot.HasAgents && snapshot.Status.Phase is TrainingPhase.Running && gang.Members.Length >= snapshot.Replicas && !gang.Missing.Any()
            && gang.Members.All(member => member.Pod.Phase == "Succeeded" || (!member.Ranks.IsEmpty && member.Ranks.All(rank => rank.State == RankState.Completed)));
    }

    public static JobDecision Complete(JobSnapshot snapshot) => Finish(
        snapshot, TrainingPhase.Succeeded, "Completed", snapshot.HasAgents ? $"all {snapshot.Replicas * snapshot.PerReplica} ranks completed the training" : $"all {snapshot.Replicas} pods ended with exit code 0");

    public static JobDecision Watch(JobSnapshot snapshot)
    {
        if (Withdrawal.Find(snapshot) is { } withdrawal)
        {
            return withdrawal;
        }

        var gang = new GangView(snapshot);
        return FailurePolicy.Find(gang) is { } failure
            ? Growth.End(gang, failure) ?? End(gang, failure)
            : Leave(gang) ?? Growth.Ask(snapshot) ?? GoOn(gang);
    }

    /// <summary>The next attempt, in the status before anything is done for it: from then on the old one can neither be assigned nor commit.</summary>
    public static JobDecision Next(JobSnapshot snapshot, AttemptFailure failure, ImmutableArray<JobAction> actions)
    {
        var charge = failure.IsCharged ? "charged" : "free";
        var interruption = InterruptionPolicy.Describe(snapshot, failure);
        var message = $"attempt {snapshot.Attempt} ended: {failure.Message}; attempt {snapshot.Attempt + 1} ({charge}) goes on {InterruptionPolicy.Loss(interruption, snapshot.Job.Spec.Checkpoint?.InMemory is not null)}";
        return new JobDecision
        {
            Actions = actions,
            Status = new StatusBuilder(snapshot).Interrupt(interruption, failure).NextAttempt(failure.IsCharged, isFirst: false).Phase(TrainingPhase.Restarting)
                .Set(TrainingConditions.Placed, false, failure.Reason, message).Set(TrainingConditions.Training, false, failure.Reason, message).Set(TrainingConditions.Requeued, true, failure.Reason, message).Build(),
            Reason = failure.Reason,
            Message = message,
            IsWarning = failure.IsCharged,
            RequeueAfter = TimeSpan.Zero,
        };
    }

    /// <summary>A job that was suspended or evicted goes on: with the next attempt, or with the same one if that never had a place.</summary>
    /// <param name="why">What ended the attempt, if one ran.</param>
    public static JobDecision Again(JobSnapshot snapshot, AttemptFailure why)
    {
        if (Placed(snapshot) is not { Status: "False" } || WasLeft(snapshot))
        {
            return Next(snapshot, why, []);
        }

        var message = $"{why.Message}; attempt {snapshot.Attempt} had not begun, and still is to";
        return new JobDecision
        {
            Actions = [],
            Status = new StatusBuilder(snapshot).Begin().Phase(snapshot.Attempt <= 1 ? TrainingPhase.Pending : TrainingPhase.Restarting).Set(TrainingConditions.Placed, false, why.Reason, message).Build(),
            Reason = why.Reason,
            Message = message,
            RequeueAfter = TimeSpan.Zero,
        };
    }

    /// <summary>All pods of the attempt have left because of a suspension or an eviction: its number is used up, though none follows yet.</summary>
    public static StatusBuilder Leave(StatusBuilder builder, string message) =>
        builder.Has(TrainingConditions.Placed, out _) ? builder.Set(TrainingConditions.Placed, false, Left, message).Clear(TrainingConditions.Resizing, Left, message) : builder;

    /// <summary>Whether the attempt ran and has left.</summary>
    public static bool WasLeft(JobSnapshot snapshot) => Placed(snapshot) is { Status: "False", Reason: Left };

    private static Condition? Placed(JobSnapshot snapshot) => snapshot.Status.Conditions?.Find(condition => condition.Type == TrainingConditions.Placed);

    private static JobDecision End(GangView gang, AttemptFailure failure)
    {
        var snapshot = gang.Snapshot;
        return failure switch
        {
            { IsFatal: true } => Fail(snapshot, failure.Reason, failure.Message, failure),
            { IsCharged: true } when !RestartPolicy.MayRestart(snapshot) => Fail(
                snapshot, "MaxRestartsExceeded", $"{failure.Message}; {RestartPolicy.Charged(snapshot)} charged restarts are all that recovery.maxRestarts allows{Window(snapshot)}", failure with { IsFatal = true }),
            _ when !snapshot.HasAgents => Next(snapshot, failure, DeletePods(snapshot.Pods)),
            _ => Next(snapshot, failure, ReplacementPolicy.Replace(gang, NodeExclusion.Update(snapshot, failure.Excluded.Concat(Noticed(gang).Select(notice => notice.Node))))),
        };
    }

    /// <summary>Asks the pods of machines that are about to go to save and leave; null if there are none.</summary>
    private static JobDecision? Leave(GangView gang)
    {
        var noticed = Noticed(gang);
        var leaving = gang.Members.Where(member => member.Pod.IsLive && noticed.Exists(notice => notice.Node.Node == member.Pod.Node)).ToList();
        if (leaving.Count == 0)
        {
            return null;
        }

        return new JobDecision
        {
            Actions = [.. leaving.Select(member => ReplacementPolicy.Delete(member, null))],
            Status = new StatusBuilder(gang.Snapshot).Exclude(noticed.Select(notice => notice.Node)).Build(),
            Reason = noticed[0].Node.Reason!,
            Message = $"{string.Join("; ", noticed.Select(notice => notice.Message).Distinct())}: {Count(leaving.Count)} ({string.Join(", ", leaving.Select(member => member.Pod.Name))}) asked to save and leave",
            RequeueAfter = Soon,
        };
    }

    private static JobDecision GoOn(GangView gang)
    {
        var snapshot = gang.Snapshot;
        var isTraining = snapshot.HasAgents
            ? gang.Ranks.Any(entry => entry.Rank.State != RankState.Starting)
            : snapshot.Pods.Count(pod => pod.Phase is "Running" or "Succeeded") >= snapshot.Replicas;
        var builder = new StatusBuilder(snapshot);
        var waiting = isTraining ? null : StartPolicy.Waiting(gang);
        var isEvaluating = isTraining && snapshot.Job.Spec.Phi?.Evaluation is not null && IsTrained(snapshot);
        var (reason, message) = isEvaluating ? ("Training", $"attempt {snapshot.Attempt} has completed the training, and its last checkpoint is being evaluated")
            : isTraining ? ("Training", $"attempt {snapshot.Attempt} is training")
            : ("Starting", $"attempt {snapshot.Attempt} is starting{(waiting is null ? "" : $": {waiting}")}");
        if (isTraining)
        {
            builder.Resume(gang.Ranks.Max(entry => entry.Rank.FromStep)).Phase(TrainingPhase.Running).Set(TrainingConditions.Training, true, "Training", message).Requeue(null);
        }
        else if (waiting is not null)
        {
            builder.Set(TrainingConditions.Training, false, "Starting", message);
        }

        var wasSlow = builder.Has(TrainingConditions.Straggler, out var said);
        if (StragglerPolicy.Report(gang) is { } slow)
        {
            // Its times change with every step; the status changes when the ranks do.
            (reason, message) = ("Straggler", wasSlow && StragglerPolicy.IsAbout(gang, said) ? said : slow);
            builder.Set(TrainingConditions.Straggler, true, reason, message);
        }
        else if (wasSlow)
        {
            builder.Set(TrainingConditions.Straggler, false, "NoStraggler", "every rank keeps up with the gang");
        }

        return new JobDecision
        {
            Actions = [],
            Status = builder.Build(),
            Reason = reason,
            Message = message,
            IsWarning = reason == "Straggler" || waiting is not null,
            RequeueAfter = Soonest(FailurePolicy.IsUnsettled(snapshot) ? Soon : null, Withdrawal.Remaining(snapshot), ContainerHang.Remaining(snapshot), SilencePolicy.Next(gang), StartPolicy.Next(gang), HangPolicy.Next(gang), LeavePolicy.Next(gang)),
        };
    }

    private static List<(ExcludedNodeStatus Node, string Message)> Noticed(GangView gang) =>
        [.. gang.Members.Select(member => NoticePolicy.Find(gang, member)).OfType<(ExcludedNodeStatus Node, string Message)>().DistinctBy(notice => notice.Node.Node)];

    private static string Count(int pods) => pods == 1 ? "1 pod" : $"{pods} pods";

    private static string Window(JobSnapshot snapshot) => snapshot.Job.Spec.Recovery!.RestartWindow is { } window ? $" within recovery.restartWindow ({window})" : "";
}
