using System.Collections.Frozen;
using System.Collections.Immutable;
using k8s.Models;
using Phi.Api.Metadata;

namespace Phi.Operator.Observe;

/// <summary>A node as the API server has it, read once for each of its versions.</summary>
internal sealed record NodeFacts(V1Node Node, string AcceleratorType, FrozenDictionary<string, decimal> Allocatable, ImmutableArray<V1Taint> Taints)
{
    public string Name => Node.Metadata.Name;

    public bool IsReady => Node.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;

    public bool IsCordoned => Node.Spec?.Unschedulable == true;

    public static NodeFacts Of(V1Node node) => new(
        node,
        Label(node, PhiNames.AcceleratorTypeLabel) ?? Label(node, "nvidia.com/gpu.product")?.ToLowerInvariant() ?? "",
        (node.Status?.Allocatable ?? new Dictionary<string, ResourceQuantity>()).ToFrozenDictionary(pair => pair.Key, pair => pair.Value.ToDecimal(), StringComparer.Ordinal),
        [.. (node.Spec?.Taints ?? []).Where(taint => taint.Effect is "NoSchedule" or "NoExecute")]);

    public string? Label(string name) => Label(Node, name);

    /// <summary>Whether a gang that waits could fare otherwise with the node as it is now.</summary>
    public bool Differs(NodeFacts old) =>
        IsReady != old.IsReady || IsCordoned != old.IsCordoned || AcceleratorType != old.AcceleratorType
        || Allocatable.Count != old.Allocatable.Count || Allocatable.Any(pair => old.Allocatable.GetValueOrDefault(pair.Key) != pair.Value)
        || !Taints.Select(Text).SequenceEqual(old.Taints.Select(Text))
        || !Labels(Node).SequenceEqual(Labels(old.Node));

    private static string? Label(V1Node node, string name) => node.Metadata.Labels is { } labels && labels.TryGetValue(name, out var value) ? value : null;

    private static string Text(V1Taint taint) => $"{taint.Key}={taint.Value}:{taint.Effect}";

    private static IEnumerable<KeyValuePair<string, string>> Labels(V1Node node) => (node.Metadata.Labels ?? new Dictionary<string, string>()).OrderBy(pair => pair.Key, StringComparer.Ordinal);
}
