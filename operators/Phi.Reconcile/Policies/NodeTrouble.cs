using System.Text.Json.Nodes;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>Why the pods of a node cannot stay there.</summary>
/// <param name="IsDown">The node does not answer any more; false: it will go, and its pods can still save.</param>
/// <param name="Reason">CamelCase word.</param>
public sealed record NodeTrouble(bool IsDown, string Reason, string Message)
{
    /// <summary>
    /// Taints that say that the machine is about to go, whatever a pod tolerates. Keys that end in '/' stand for all that begin so.
    /// A taint that only describes the machine, such as kubernetes.azure.com/scalesetpriority=spot, is no notice.
    /// </summary>
    private static readonly string[] Notices =
    [
        "aws-node-termination-handler/",
        "cloud.google.com/impending-node-termination",
        "node.cloudprovider.kubernetes.io/shutdown",
        "ToBeDeletedByClusterAutoscaler",
        "karpenter.sh/disrupted",
        "karpenter.sh/disruption",
    ];

    /// <summary>By the node's own word: its condition Ready, and the taints of Kubernetes and of the clouds. Null: none.</summary>
    public static NodeTrouble? Of(NodeSnapshot node)
    {
        var health = node.Health;
        if (health.Taints.FirstOrDefault(taint => taint.Key == "node.kubernetes.io/out-of-service") is { } service)
        {
            return new NodeTrouble(true, "NodeOutOfService", $"node {node.Name} has the taint {service.Key}");
        }

        if (health.Ready != "True")
        {
            return new NodeTrouble(true, health.Ready == "Unknown" ? "NodeUnreachable" : "NodeNotReady", $"node {node.Name} is not ready (Ready is {health.Ready}{Because(health.Message)})");
        }

        if (health.Taints.FirstOrDefault(taint => taint.Key is "node.kubernetes.io/unreachable" or "node.kubernetes.io/not-ready") is { } lost)
        {
            return new NodeTrouble(true, lost.Key.EndsWith("unreachable", StringComparison.Ordinal) ? "NodeUnreachable" : "NodeNotReady", $"node {node.Name} has the taint {lost.Key}");
        }

        return health.Taints.FirstOrDefault(taint => Array.Exists(Notices, notice => notice.EndsWith('/') ? taint.Key.StartsWith(notice, StringComparison.Ordinal) : taint.Key == notice)) is { } going
            ? new NodeTrouble(false, "NodeGoing", $"node {node.Name} is about to go: it has the taint {going.Key}")
            : null;
    }

    /// <summary>The same, and any NoExecute taint that the pods do not tolerate: it makes Kubernetes evict them.</summary>
    /// <param name="tolerations">Of the pods, as in a pod's spec.</param>
    public static NodeTrouble? Of(NodeSnapshot node, JsonArray? tolerations) =>
        Of(node) ?? (node.Health.Taints.FirstOrDefault(taint => taint.Effect == "NoExecute" && (tolerations ?? []).All(toleration => !Tolerates(toleration, taint))) is { } taint
            ? new NodeTrouble(false, "NodeTainted", $"node {node.Name} has the taint {taint.Key}:NoExecute, which the pods do not tolerate")
            : null);

    /// <summary>https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration: an empty key with Exists means every taint, an empty effect every effect.</summary>
    private static bool Tolerates(JsonNode? toleration, NodeTaint taint)
    {
        var (key, effect, isAny) = (Text("key"), Text("effect"), Text("operator") == "Exists");
        return (effect.Length == 0 || effect == taint.Effect)
            && (key == taint.Key || (key.Length == 0 && isAny))
            && (isAny || Text("value") == (taint.Value ?? ""));

        string Text(string name) => (toleration as JsonObject)?[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";
    }

    private static string Because(string? message) => string.IsNullOrWhiteSpace(message) ? "" : $": {message.Trim().TrimEnd('.')}";
}
