using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using static Phi.Reconcile.Phases.Steps;

namespace Phi.Reconcile.Phases;

/// <summary>A gang that was placed and did not get there: all of it is taken back and placed anew, at the same attempt and free of charge.</summary>
internal static class Withdrawal
{
    /// <summary>The withdrawal that is due; null if none is, or once ranks have run: then it is a matter of the attempt.</summary>
    public static JobDecision? Find(JobSnapshot snapshot)
    {
        if (snapshot.Agents.Any(agent => agent.Attempt == snapshot.Attempt && !agent.Ranks.IsEmpty))
        {
            return null;
        }

        if (snapshot.Refusal is { } refusal)
        {
            return Withdraw(snapshot, "WithdrawnRefused", $"the API server did not let pod {refusal.Pod} go to {refusal.Node} ({refusal.Message.TrimEnd('.')})", []);
        }

        return Remaining(snapshot) is { Ticks: <= 0 } ? NotBound(snapshot) : Assembly.Complete(snapshot);
    }

    /// <summary>How long the pods that are not bound may still take; null if all are.</summary>
    public static TimeSpan? Remaining(JobSnapshot snapshot) =>
        snapshot.Pods.Any(IsUnbound) && snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Placed, Status: "True" })?.LastTransitionTime is { } since
            ? since + BindTimeout(snapshot) - snapshot.Now
            : null;

    public static TimeSpan BindTimeout(JobSnapshot snapshot) => KubernetesDuration.Parse(snapshot.Job.Spec.Recovery!.BindTimeout!);

    /// <param name="excluded">Nodes that did not take their pod, with what the scheduler said.</param>
    /// <param name="requeue">How long the job waits before it is placed anew; null: not at all.</param>
    public static JobDecision Withdraw(JobSnapshot snapshot, string reason, string why, IReadOnlyList<(string Node, string Reason)> excluded, RequeueStateStatus? requeue = null)
    {
        // Pods of an earlier attempt have their place already, and keep it.
        var pods = snapshot.Pods.Where(pod => pod.IsLive && (pod.Node is null || pod.Attempt is null || pod.Attempt >= snapshot.Attempt)).ToList();
        var later = requeue is { RequeueAt: { } at } ? $" after {(at - snapshot.Now).TotalSeconds:0.#} s, from {UtcText.Of(at)} on" : "";
        var message = $"the gang is withdrawn: {why}; it is placed anew at attempt {snapshot.Attempt}{later}, no restart is charged";
        var builder = new StatusBuilder(snapshot).Phase(snapshot.Attempt <= 1 ? TrainingPhase.Pending : TrainingPhase.Restarting)
            .Set(TrainingConditions.Placed, false, reason, message).Set(TrainingConditions.Training, false, reason, message);
        builder.Set(TrainingConditions.Admitted, false, reason, message).Requeue(requeue ?? snapshot.Status.RequeueState);
        if (!Queueing.HasQueue(snapshot))
        {
            builder.Set(TrainingConditions.QuotaReserved, false, reason, message);
        }

        foreach (var (node, words) in excluded)
        {
            builder.Exclude(node, words);
        }

        return new JobDecision { Actions = DeletePods(pods), Status = builder.Build(), Reason = reason, Message = message, IsWarning = true, RequeueAfter = TimeSpan.Zero };
    }

    private static JobDecision NotBound(JobSnapshot snapshot)
    {
        var unbound = snapshot.Pods.Where(IsUnbound).OrderBy(pod => pod.Index).ToList();
        var (first, others) = (unbound[0], unbound.Count - 1);
        var words = first.NotScheduled ?? "the scheduler has not said why";
        var nodes = unbound.Select(pod => pod.Pin).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var left = nodes.Count == 0 ? "" : $"; {string.Join(", ", nodes)} {(nodes.Count == 1 ? "is" : "are")} left out for a while";
        return Withdraw(
            snapshot, "WithdrawnNotBound",
            $"pod {first.Name}{(others == 0 ? "" : $" and {others} more")} {(others == 0 ? "was" : "were")} not bound{(first.Pin is { } pin ? $" to {pin}" : "")} within {BindTimeout(snapshot).TotalSeconds:0.#} s ({words.TrimEnd('.')}){left}",
            [.. nodes.Select(node => (node, $"NotBound: {unbound.Find(pod => pod.Pin == node)!.NotScheduled ?? words}"))],
            RequeuePolicy.Next(snapshot));
    }

    private static bool IsUnbound(PodSnapshot pod) => pod is { IsLive: true, IsGated: false, Node: null };
}
