using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary>What operator and dashboard asked of the API servers of this run, from the audit logs of the clusters that are over.</summary>
internal static class RightsUsed
{
    private static readonly ConcurrentDictionary<Right, bool> Used = new();
    private static readonly ConcurrentQueue<string> Refusals = new();
    private static int _clusters;

    public static int Clusters => _clusters;

    public static IReadOnlyCollection<string> Refused => [.. Refusals];

    /// <summary>The part's requests that were allowed.</summary>
    public static IReadOnlyList<Right> Of(string part) => [.. Used.Keys.Where(right => right.Part == part)];

    /// <param name="namespace">That of the cluster's operator and dashboard: an API server may have served others before.</param>
    public static void Read(string auditLog, string @namespace)
    {
        if (!File.Exists(auditLog))
        {
            return;
        }

        Interlocked.Increment(ref _clusters);
        foreach (var line in File.ReadLines(auditLog).Where(line => line.Contains($"\"system:serviceaccount:{@namespace}:phi-", StringComparison.Ordinal)))
        {
            Take(JsonNode.Parse(line)!);
        }
    }

    private static void Take(JsonNode told)
    {
        var (user, code) = ((string?)told["user"]?["username"] ?? "", (int?)told["responseStatus"]?["code"]);
        var part = new[] { "operator", "dashboard" }.FirstOrDefault(part => user.EndsWith($":phi-{part}", StringComparison.Ordinal));
        if (part is null || code is null || told["objectRef"] is not { } what)
        {
            return;
        }

        if (code == 403)
        {
            Refusals.Enqueue($"{part}: {told["verb"]} {told["requestURI"]}");
            return;
        }

        var resource = what["subresource"] is { } below ? $"{what["resource"]}/{below}" : (string)what["resource"]!;
        var right = new Right(part, (string?)what["apiGroup"] ?? "", resource, (string)told["verb"]!, (string?)what["name"] ?? "");
        Used.TryAdd(right, true);
        if (right.Verb == "patch" && code == 201)
        {
            // An apply that makes the object needs both.
            Used.TryAdd(right with { Verb = "create" }, true);
        }
    }

    /// <param name="Name">Of the object; empty for all.</param>
    public sealed record Right(string Part, string Group, string Resource, string Verb, string Name);
}
