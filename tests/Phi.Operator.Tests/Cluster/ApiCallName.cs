using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Web;
using Phi.Api.Metadata;

namespace Phi.Operator.Tests.Cluster;

/// <summary>
/// Names a call by its verb, its resource and what it is for, such as <c>apply trainingjobs/status Running attempt 2</c>. Calls are made in
/// an order that varies with the time that each takes; their names do not.
/// </summary>
internal static partial class ApiCallName
{
    public static async Task<string> OfAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var rest = path[(path[0] == "api" ? 2 : 3)..];
        rest = rest is ["namespaces", _, _, ..] ? rest[2..] : rest;
        var query = HttpUtility.ParseQueryString(request.RequestUri.Query);
        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken))!.AsObject();
        var resource = string.Join('/', rest.Where((_, index) => index != 1));
        return string.Join(' ', new[] { Verb(request, rest.Length > 1, query["watch"] == "true"), resource, Purpose(resource, rest.ElementAtOrDefault(1), query["fieldManager"], query["labelSelector"], body) }.Where(part => part is { Length: > 0 }));
    }

    private static string Verb(HttpRequestMessage request, bool isOfOne, bool isWatch) => request.Method.Method switch
    {
        "GET" => isWatch ? "watch" : isOfOne ? "get" : "list",
        "POST" => "create",
        "PUT" => "update",
        "DELETE" => "delete",
        _ => request.Content!.Headers.ContentType!.MediaType switch
        {
            "application/apply-patch+yaml" => "apply",
            "application/merge-patch+json" => "merge",
            _ => "patch",
        },
    };

    private static string? Purpose(string resource, string? name, string? manager, string? selector, JsonObject? body) => (resource, manager) switch
    {
        ("events", _) => (string?)body?["reason"] ?? "repeated",
        ("trainingjobs/status", PhiNames.ProgressFieldManager) => "progress",
        ("trainingjobs/status", _) => $"{body!["status"]!["phase"]} attempt {body["status"]!["attempt"]}",
        ("trainingjobs", _) when body?["metadata"]?["finalizers"] is JsonArray finalizers => finalizers.Count == 0 ? "without finalizer" : "with finalizer",
        ("leases", _) when (string?)body?["spec"]?["holderIdentity"] == "" => "release",
        ("trainingqueues/status", _) => $"with {body!["status"]!["admittedJobs"]} admitted",
        ("crontrainingjobs/status", _) => $"with {body!["status"]!["active"]?.AsArray().Count ?? 0} active",
        _ => name is not null ? RunNumber().Replace(name, "") : selector,
    };

    /// <summary>Each life has objects of its own names; its number, and the time of a run, make no other call.</summary>
    [GeneratedRegex("(?<=^(cron|queue))[0-9]+(-[0-9]{8,})?")]
    private static partial Regex RunNumber();
}
