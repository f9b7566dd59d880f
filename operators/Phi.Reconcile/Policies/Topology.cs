using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Domains of nodes, by the words of spec.topology.</summary>
internal static class Topology
{
    /// <summary>From the narrowest to the widest.</summary>
    public static readonly IReadOnlyList<string> Levels = ["nvlink-domain", "rack", "zone"];

    /// <summary>Null: the node has no label for it.</summary>
    public static string? DomainOf(NodeSnapshot node, string level) => level switch
    {
        "nvlink-domain" => node.NvlinkDomain,
        "rack" => node.Rack,
        "zone" => node.Zone,
        _ => null,
    };

    /// <summary>The level that the job names, required or preferred.</summary>
    public static string? Asked(JobSnapshot snapshot) => snapshot.Job.Spec.Topology?.Require ?? snapshot.Job.Spec.Topology?.Prefer;
}
