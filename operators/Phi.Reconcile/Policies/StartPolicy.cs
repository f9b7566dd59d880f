using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// Pods that are bound to their nodes and never begin to run: an image that cannot be pulled, a volume that is not there, a sidecar that
/// fails each time it starts. Their node tries for ever, so after recovery.startTimeout the attempt ends. Charged: it seldom mends itself.
/// </summary>
internal static class StartPolicy
{
    /// <summary>What every container says before its first start: no cause.</summary>
    private static readonly string[] Ordinary = ["ContainerCreating", "PodInitializing"];

    public static IEnumerable<AttemptFailure> Find(GangView gang) => gang.Members.Where(member => Remaining(gang, member) is { Ticks: <= 0 }).Select(member =>
    {
        var why = Why(member.Pod);
        return new AttemptFailure(true, false, "StartTimeout", $"{member.Where} has not started within recovery.startTimeout ({gang.Snapshot.Job.Spec.Recovery!.StartTimeout}){Because(why ?? member.Pod.WaitingReason)}{(why is null ? $"; its events say more: kubectl describe pod {member.Pod.Name}" : "")}")
        {
            Words = why,
            Node = member.Pod.Node,
            // A node that names no cause may have its own, such as a broken network.
            Excluded = why is null ? [NodeExclusion.Escalate(gang.Snapshot, gang.Snapshot.Status.ExcludedNodes, member.Pod.Node!, "NotStarted")] : [],
        };
    });

    /// <summary>What the first pod that cannot start waits for, if its node names a cause; null if none does.</summary>
    public static string? Waiting(GangView gang) =>
        gang.Members.FirstOrDefault(member => IsAwaited(member.Pod) && Why(member.Pod) is not null) is { } stuck ? $"{stuck.Where} cannot start{Because(Why(stuck.Pod))}" : null;

    /// <summary>What a pod has left to start in; null if it need not start: it runs, has ended, is leaving, or has no node yet.</summary>
    public static TimeSpan? Remaining(GangView gang, GangMember member) => IsAwaited(member.Pod) && Since(gang.Snapshot, member.Pod) is { } since
        ? since + KubernetesDuration.Parse(gang.Snapshot.Job.Spec.Recovery!.StartTimeout!) - gang.Snapshot.Now
        : null;

    /// <summary>Until the first pod's time to start is over.</summary>
    public static TimeSpan? Next(GangView gang) => gang.Members.Select(member => Remaining(gang, member)).Min();

    /// <summary>A pod is Running once any of its containers is, which need not be the trainer.</summary>
    private static bool IsAwaited(PodSnapshot pod) => pod is { IsLive: true, Node: not null, RunningSince: null, ExitCode: null } and ({ Phase: "Pending" } or { WaitingReason: not null });

    /// <summary>The later of two clocks' words: the cluster's, of the pod, and the operator's own, of the gang. They may differ.</summary>
    private static DateTimeOffset? Since(JobSnapshot snapshot, PodSnapshot pod)
    {
        var placed = snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Placed, Status: "True" })?.LastTransitionTime;
        return pod.BoundSince is not { } bound || placed > bound ? placed ?? pod.BoundSince : bound;
    }

    private static string? Why(PodSnapshot pod) =>
        pod.WaitingReason is not { } reason || Ordinary.Contains(reason) ? null : $"{reason}{Because(pod.WaitingMessage)}";

    private static string Because(string? words) => string.IsNullOrWhiteSpace(words) ? "" : $": {words.Trim().TrimEnd('.')}";
}
