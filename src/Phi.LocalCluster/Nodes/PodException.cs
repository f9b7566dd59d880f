namespace Phi.LocalCluster.Nodes;

/// <summary>A pod that this node cannot run; becomes its reason and message.</summary>
internal sealed class PodException(string reason, string message) : Exception(message)
{
    public string Reason { get; } = reason;
}
