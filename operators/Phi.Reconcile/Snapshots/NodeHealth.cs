using System.Collections.Immutable;

namespace Phi.Reconcile.Snapshots;

/// <summary>What the API server says of a node beside its capacity.</summary>
/// <param name="Ready">Status of its condition Ready: True, False or Unknown.</param>
/// <param name="Message">Message of that condition.</param>
/// <param name="IsCordoned">spec.unschedulable: no new pods; those that are there stay.</param>
public sealed record NodeHealth(string Ready, string? Message, bool IsCordoned, ImmutableArray<NodeTaint> Taints)
{
    public static NodeHealth Good { get; } = new("True", null, false, []);
}
