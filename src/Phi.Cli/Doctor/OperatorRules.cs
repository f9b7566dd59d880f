using System.Text.Json.Nodes;
using Phi.Cli.Cluster;

namespace Phi.Cli.Doctor;

/// <summary>One right that the operator uses.</summary>
/// <param name="Group">Empty: the core group.</param>
/// <param name="Resource">With its subresource, as RBAC writes it.</param>
/// <param name="IsOwn">In the operator's own namespace alone.</param>
/// <param name="Name">Of the one object that it is about; null: of any.</param>
internal sealed record OperatorRule(string Group, string Resource, bool IsOwn, string? Name, params string[] Verbs);

/// <summary>What the operator does on the API server, as the chart grants it.</summary>
internal static class OperatorRules
{
    public static IReadOnlyList<OperatorRule> All { get; } =
    [
        .. from section in PartRules.Of("operator")
           from rule in section.Value!.AsArray()
           from @group in Texts(rule!["apiGroups"])
           from resource in Texts(rule["resources"])
           from name in rule["resourceNames"] is { } names ? Texts(names) : [null]
           select new OperatorRule(@group!, resource!, section.Key == "own", name, [.. Texts(rule["verbs"])!]),
    ];

    private static IEnumerable<string?> Texts(JsonNode? list) => (list as JsonArray ?? []).Select(text => (string?)text);
}
