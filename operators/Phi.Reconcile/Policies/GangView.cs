using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>A snapshot's pods, each with its agent and its node beside it: what the policies of recovery look at.</summary>
internal sealed class GangView
{
    /// <summary>Time beyond its grace period that a pod has to go away.</summary>
    public static readonly TimeSpan Overtime = TimeSpan.FromSeconds(5);

    public GangView(JobSnapshot snapshot)
    {
        Snapshot = snapshot;
        var agents = snapshot.Agents.GroupBy(agent => agent.PodUid).ToDictionary(group => group.Key, group => group.Last());
        var nodes = snapshot.Nodes.GroupBy(node => node.Name).ToDictionary(group => group.Key, group => group.Last());
        Members = [.. snapshot.Pods.OrderBy(pod => pod.Index).ThenBy(pod => pod.Name, StringComparer.Ordinal).Select(pod => Member(pod, agents.GetValueOrDefault(pod.Uid), pod.Node is { } node ? nodes.GetValueOrDefault(node) : null))];
        Ranks = [.. Members.SelectMany(member => member.Ranks.Select(rank => (member, rank)))];
    }

    public JobSnapshot Snapshot { get; }

    public ImmutableArray<GangMember> Members { get; }

    /// <summary>Ranks of the current attempt that have been heard.</summary>
    public ImmutableArray<(GangMember Member, RankHeartbeat Rank)> Ranks { get; }

    /// <summary>Replicas that have no pod.</summary>
    public IEnumerable<int> Missing => Enumerable.Range(0, Snapshot.Replicas).Where(index => Members.All(member => member.Pod.Index != index));

    private GangMember Member(PodSnapshot pod, AgentSnapshot? agent, NodeSnapshot? node)
    {
        ImmutableArray<RankHeartbeat> ranks = agent is not null && agent.Attempt == Snapshot.Attempt ? agent.Ranks : [];
        return new GangMember(pod, agent, node)
        {
            Ranks = ranks,
            Trouble = node is not null ? NodeTrouble.Of(node, Snapshot.Job.Spec.Template?.Tolerations)
                : pod.Node is { } name ? new NodeTrouble(true, "NodeGone", $"node {name} is gone") : null,
            Silence = SilencePolicy.Silence(Snapshot, pod, agent),
            Patience = SilencePolicy.Patience(Snapshot, agent, ranks),
            IsOverdue = pod is { IsDeleting: true, DeleteBy: { } end } && Snapshot.Now >= end + Overtime,
        };
    }
}
