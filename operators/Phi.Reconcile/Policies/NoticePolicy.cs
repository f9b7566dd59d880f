using Phi.Api.TrainingJobs;

namespace Phi.Reconcile.Policies;

/// <summary>
/// Machines that say that they are about to go: by a taint of their node, or by a notice that the agent read from the machine itself.
/// Their pods are asked to leave while they can still save, and the job keeps away from the node until the notice is over.
/// </summary>
internal static class NoticePolicy
{
    /// <summary>Beyond a notice's time: clouds announce the earliest moment, not the moment. A taint that is gone earlier ends it earlier.</summary>
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>Null: the pod can stay. A freeze pauses the machine for seconds and takes nothing away.</summary>
    public static (ExcludedNodeStatus Node, string Message)? Find(GangView gang, GangMember member)
    {
        var now = gang.Snapshot.Now;
        return member switch
        {
            { Pod: { HasEnded: true } or { Node: null } } => null,
            { Trouble: { IsDown: false } trouble } => (new ExcludedNodeStatus { Node = member.Pod.Node, Reason = trouble.Reason, Since = now, Until = now + Life }, trouble.Message),
            { Trouble: null, Agent.Notice: { Kind: not "Freeze" } notice } => (
                new ExcludedNodeStatus { Node = member.Pod.Node, Reason = "DisruptionNotice", Since = now, Until = (notice.NotBefore is { } time && time > now ? time : now) + Life },
                $"node {member.Pod.Node} is about to go ({notice.Source} announces {notice.Kind}{(notice.NotBefore is { } at ? $" not before {UtcText.Of(at)}" : "")})"),
            _ => null,
        };
    }
}
