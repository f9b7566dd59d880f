using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Pods that were ended from outside, and nodes that are down. All free.</summary>
internal static class DisruptionPolicy
{
    /// <summary>Why a kubelet refuses a pod that was bound to it: the node was not as the scheduler knew it.</summary>
    private static readonly string[] Refusals = ["UnexpectedAdmissionError", "NodeAffinity", "NodeShutdown", "Shutdown", "Preempting", "TopologyAffinityError", "NodeLost"];

    public static IEnumerable<AttemptFailure> Find(GangView gang) =>
    [
        .. gang.Members.Select(Ended).OfType<AttemptFailure>(),
        .. gang.Members.Where(member => member is { IsLost: true, IsLeaving: false }).Select(member => Free(member, member.Trouble!.Reason, $"pod {member.Pod.Name} is lost: {member.Trouble.Message}{Unheard(member)}")),
        .. gang.Members.Where(member => member.IsLeaving).Select(member => Left(gang, member)),
        .. gang.Missing.Select(index => Gone(gang, index)),
    ];

    /// <summary>Whether a pod's end is the end of something else: its ranks' exit codes then say nothing.</summary>
    public static bool IsDisrupted(GangMember member) => member.Pod.IsDeleting || member.IsLost || Ended(member) is not null;

    private static AttemptFailure? Ended(GangMember member)
    {
        var pod = member.Pod;
        return pod switch
        {
            { Phase: "Failed", IsDisrupted: true } => Free(member, pod.DisruptionReason ?? "PodDisrupted", $"{member.Where} was disrupted ({What(pod)}){Because(pod.DisruptionMessage ?? pod.Message ?? pod.Reason)}"),
            { Phase: "Failed", ExitCode: null, Reason: { } reason } when reason.StartsWith("OutOf", StringComparison.Ordinal) || Refusals.Contains(reason) =>
                Free(member, "PodRefused", $"{member.Where} was refused by its node ({reason}){Because(pod.Message)}"),
            { HasEnded: true, IsDeleting: true } => Free(member, "PodDeleted", $"{member.Where} was deleted"),
            _ => null,
        };
    }

    /// <summary>Of a pod that was asked to leave, once there is nothing more to wait for.</summary>
    private static AttemptFailure Left(GangView gang, GangMember member)
    {
        var (reason, why) = member switch
        {
            { Trouble: { } trouble } => (trouble.Reason, trouble.Message),
            { Pod.IsDisrupted: true } => (member.Pod.DisruptionReason ?? "PodDisrupted", What(member.Pod)),
            _ when Exclusion(gang, member.Pod.Node) is { } excluded => (excluded.Reason!, excluded.Reason!),
            { Node.Health.IsCordoned: true } => ("NodeDrained", $"node {member.Pod.Node} is being drained"),
            _ => ("PodDeleted", "it was deleted"),
        };
        var how = member.IsSilent || member.IsLost ? $"its agent has been silent for {member.Silence?.TotalSeconds ?? 0:0} s" : member.IsOverdue ? "it did not end within its grace period" : "its ranks have left";
        return Free(member, reason, $"{member.Where} was asked to leave ({why}), and {how}");
    }

    /// <summary>The last placement still knows where the pod was.</summary>
    private static AttemptFailure Gone(GangView gang, int index)
    {
        var was = (gang.Snapshot.Status.Placement ?? []).FirstOrDefault(placement => placement.Pod?.EndsWith($"-{index}", StringComparison.Ordinal) == true);
        var node = gang.Snapshot.Nodes.FirstOrDefault(candidate => candidate.Name == was?.Node);
        var where = was is null ? "" : $" ({was.Pod} on {was.Node})";
        var (reason, why) = Exclusion(gang, was?.Node) is { } excluded ? (excluded.Reason!, $": its node was to be left ({excluded.Reason})")
            : node is not null && NodeTrouble.Of(node, gang.Snapshot.Job.Spec.Template?.Tolerations) is { } trouble ? (trouble.Reason, $": {trouble.Message}")
            : node is { Health.IsCordoned: true } ? ("NodeDrained", ": its node is being drained")
            : ("PodDeleted", "");
        return new AttemptFailure(false, false, reason, $"the pod of replica {index}{where} is gone{why}") { Node = was?.Node };
    }

    private static ExcludedNodeStatus? Exclusion(GangView gang, string? node) => NodeExclusion.ToLeave(gang.Snapshot, gang.Snapshot.Status.ExcludedNodes, node);

    private static AttemptFailure Free(GangMember member, string reason, string message) =>
        new(false, false, reason, message) { ExitCode = member.Pod.ExitCode, Words = member.Pod.DisruptionMessage ?? member.Pod.Message, Node = member.Pod.Node };

    private static string Unheard(GangMember member) => member.Silence is { } silence ? $", and its agent has been silent for {silence.TotalSeconds:0} s" : "";

    private static string What(PodSnapshot pod) => pod.DisruptionReason switch
    {
        "EvictionByEvictionAPI" => "evicted through the API, as by kubectl drain",
        "DeletionByTaintManager" => "its node has a taint that it does not tolerate",
        "PreemptionByScheduler" => "preempted by the scheduler for a pod of higher priority",
        "TerminationByKubelet" => "ended by its node, which shuts down, or is short of memory, disk or processes",
        "DeletionByPodGC" => "its node is gone or out of service",
        { } reason => reason,
        null => "disrupted",
    };

    private static string Because(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.Trim().TrimEnd('.')}";
}
