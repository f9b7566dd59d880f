using System.Collections.Immutable;
using Phi.Api.Agent;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>A pod with what its agent and its node say of it.</summary>
internal sealed record GangMember(PodSnapshot Pod, AgentSnapshot? Agent, NodeSnapshot? Node)
{
    /// <summary>What the agent said of the current attempt; empty if nothing.</summary>
    public required ImmutableArray<RankHeartbeat> Ranks { get; init; }

    /// <summary>Null: the node can keep the pod.</summary>
    public required NodeTrouble? Trouble { get; init; }

    /// <summary>How long the agent has not been heard while it should have been; null while nothing is expected of it.</summary>
    public required TimeSpan? Silence { get; init; }

    /// <summary>Silence that is too long.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>The pod's grace period has been over for so long that its node would have removed it.</summary>
    public required bool IsOverdue { get; init; }

    public bool IsSilent => Silence >= Patience;

    /// <summary>Three heartbeats are missing: perhaps silent, perhaps late.</summary>
    public bool IsDoubtful => Silence >= SilencePolicy.Doubt;

    /// <summary>The node is down, and the agent does not say otherwise.</summary>
    public bool IsLost => !Pod.HasEnded && Trouble is { IsDown: true } && (Silence is null || IsDoubtful);

    /// <summary>Was asked to leave, and may still be saving.</summary>
    public bool IsLeaving => Pod is { IsDeleting: true, HasEnded: false };

    /// <summary>Where the pod is, for a message.</summary>
    public string Where => Pod.Node is { } node ? $"pod {Pod.Name} on {node}" : $"pod {Pod.Name}";
}
