using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>Tells whether a Node object is this agent's own, one that nobody serves, or one that another agent keeps alive.</summary>
internal static class NodeIdentity
{
    public const string Annotation = "phi-orchestrator.io/node-agent";

    /// <summary>A name of this agent that its state folder keeps over restarts.</summary>
    public static string Of(string stateDirectory)
    {
        var file = Path.Combine(stateDirectory, "agent-id");
        if (!File.Exists(file))
        {
            File.WriteAllText(file, Guid.NewGuid().ToString());
        }

        return File.ReadAllText(file).Trim();
    }

    /// <summary>Whether another agent or a kubelet renews the lease of that name: two of them would fight over its pods.</summary>
    public static bool IsTaken(V1Node node, V1Lease? lease, string identity, DateTimeOffset now)
    {
        var isServed = lease?.Spec is { RenewTime: { } renewed } spec && renewed.ToUniversalTime().AddSeconds(spec.LeaseDurationSeconds ?? 40) > now.UtcDateTime;
        if (!isServed || node.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Reason: NodeRegistration.ShutdownReason }) == true)
        {
            return false;
        }

        // A node of this kind without the annotation is from a version that had none.
        return node.Metadata.Annotations?.TryGetValue(Annotation, out var owner) == true
            ? owner != identity
            : node.Status?.NodeInfo?.ContainerRuntimeVersion?.StartsWith(NodeRegistration.Runtime, StringComparison.Ordinal) != true;
    }
}
