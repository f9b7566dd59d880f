using Phi.Api.Metadata;

namespace Phi.LocalCluster.Nodes;

/// <summary>Labels of a node and what they are for.</summary>
public static class NodeLabels
{
    /// <summary>The GPUs' product, as NVIDIA's feature discovery labels it.</summary>
    public const string GpuProduct = "nvidia.com/gpu.product";

    /// <summary>On a node that offers GPUs which its machine does not have: pods are placed there, but cannot compute on one.</summary>
    public const string Simulated = PhiNames.Group + "/simulated";

    /// <summary>Labels that say where a node is; a gang is kept together, or apart, by them.</summary>
    public static IReadOnlyList<string> Topology { get; } = [PhiNames.Group + "/nvlink-domain", "topology.kubernetes.io/rack", "topology.kubernetes.io/zone"];

    /// <summary>Labels that the node agent sets itself.</summary>
    public static IReadOnlyList<string> Own { get; } = [PhiNames.HostnameLabel, "kubernetes.io/os", "kubernetes.io/arch", PhiNames.AcceleratorTypeLabel, GpuProduct, Simulated];
}
