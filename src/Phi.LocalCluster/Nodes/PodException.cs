namespace Phi.LocalCluster.Nodes;

/// <summary>A pod that this node cannot run; becomes its reason and message.</summary>
/// <param name="isTransient">What is missing may still come, such as an object that is created after the pod.</param>
internal sealed class PodException(string reason, string message, bool isTransient = false) : Exception(message)
{
    public string Reason { get; } = reason;

    public bool IsTransient { get; } = isTransient;
}
