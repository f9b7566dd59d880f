using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// Agents that are not heard any more. One that spoke and fell silent went with its machine, or froze: free. One that never spoke, though
/// its pod runs, has the wrong image or cannot reach the operator: charged, or the job would come back for ever. In an attempt that has
/// trained all have spoken, if not to this operator then to the one before it.
/// </summary>
internal static class SilencePolicy
{
    public static readonly TimeSpan Doubt = TimeSpan.FromSeconds(3);

    /// <summary>A process that starts may take this many times as long to speak for the first time.</summary>
    private const int StartFactor = 3;

    /// <summary>recovery.heartbeatTimeout; at least three heartbeats.</summary>
    public static TimeSpan Timeout(JobSnapshot snapshot) =>
        KubernetesDuration.Parse(snapshot.Job.Spec.Recovery!.HeartbeatTimeout!) is var given && given > Doubt ? given : Doubt;

    /// <summary>Null while no agent of the pod is to be heard: before it runs, after its end, and in pods of other trainers.</summary>
    public static TimeSpan? Silence(JobSnapshot snapshot, PodSnapshot pod, AgentSnapshot? agent)
    {
        if (snapshot.Job.Spec.Phi is null || pod.Phase != "Running" || (agent?.LastSeen ?? pod.RunningSince) is not { } last)
        {
            return null;
        }

        var since = last > snapshot.ListeningSince ? last : snapshot.ListeningSince;
        return snapshot.Now > since ? snapshot.Now - since : TimeSpan.Zero;
    }

    /// <summary>An agent whose ranks have all completed has little left to say, and may take long to hand over its last events.</summary>
    public static TimeSpan Patience(JobSnapshot snapshot, AgentSnapshot? agent, ImmutableArray<RankHeartbeat> ranks)
    {
        var timeout = Timeout(snapshot);
        return agent is null ? timeout * StartFactor
            : !ranks.IsEmpty && ranks.All(rank => rank.State == RankState.Completed) && HangPolicy.Timeout(snapshot) is var hang && hang > timeout ? hang
            : timeout;
    }

    public static IEnumerable<AttemptFailure> Find(GangView gang) => gang.Members.Where(member => member is { IsSilent: true, Pod.HasEnded: false }).Select(member =>
    {
        var seconds = Math.Floor(member.Silence!.Value.TotalSeconds);
        return member.Agent is null && gang.Snapshot.Status.Phase != TrainingPhase.Running
            ? new AttemptFailure(true, false, "AgentNeverReported", $"the agent of {member.Where} has not reported in the {seconds:0} s since its pod runs: it cannot reach the operator, or its image has none") { Node = member.Pod.Node }
            : new AttemptFailure(false, false, "AgentSilent", $"the agent of {member.Where} has been silent for {seconds:0} s (recovery.heartbeatTimeout is {gang.Snapshot.Job.Spec.Recovery!.HeartbeatTimeout})") { Node = member.Pod.Node };
    });

    /// <summary>Until the next agent could be silent.</summary>
    public static TimeSpan? Next(GangView gang) => gang.Members
        .Where(member => member is { Silence: not null, IsSilent: false, Pod.HasEnded: false })
        .Select(member => (TimeSpan?)(member.Patience - member.Silence!.Value)).Min();
}
