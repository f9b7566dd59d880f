using Phi.Api.Metadata;

namespace Phi.Cli.Doctor;

/// <summary>One right that the operator uses.</summary>
/// <param name="Group">Empty: the core group.</param>
/// <param name="Resource">With its subresource, as RBAC writes it.</param>
internal sealed record OperatorRule(string Group, string Resource, params string[] Verbs);

/// <summary>What the operator does on the API server: the calls of <c>operators/Phi.Operator</c>. A server-side apply of what may be new takes create and patch.</summary>
internal static class OperatorRules
{
    public static IReadOnlyList<OperatorRule> All { get; } =
    [
        new(PhiNames.Group, "trainingjobs", "get", "list", "watch", "create", "patch", "delete"),
        new(PhiNames.Group, "trainingjobs/status", "patch"),
        new(PhiNames.Group, "trainingqueues", "list", "watch"),
        new(PhiNames.Group, "trainingqueues/status", "patch"),
        new(PhiNames.Group, "crontrainingjobs", "list", "watch"),
        new(PhiNames.Group, "crontrainingjobs/status", "patch"),
        new("", "pods", "list", "watch", "create", "patch", "delete"),
        new("", "nodes", "list", "watch"),
        new("", "services", "create", "patch"),
        new("", "configmaps", "create", "patch"),
        new("", "secrets", "get", "create"),
        new("", "events", "create", "patch"),
        new("scheduling.k8s.io", "priorityclasses", "list", "watch"),
        new("coordination.k8s.io", "leases", "get", "list", "watch", "create", "patch", "delete"),
    ];
}
