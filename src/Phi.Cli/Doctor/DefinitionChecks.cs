using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.Api.Manifests;
using Phi.Cli.Resources;
using Phi.Cli.Submission;
using Phi.Kubernetes;

namespace Phi.Cli.Doctor;

/// <summary>Whether the CustomResourceDefinitions are those of this version.</summary>
internal static class DefinitionChecks
{
    private const string Check = "definitions";
    private const string Apply = "kubectl apply --server-side -f operators/crds";

    public static async Task<IReadOnlyList<CheckResult>> RunAsync(ClusterFacts facts, CancellationToken ct)
    {
        var results = new List<CheckResult>();
        foreach (var wanted in CrdCatalog.All.SelectMany(ManifestReader.Read))
        {
            var name = (string)wanted["metadata"]!["name"]!;
            results.Add(Compare(name, wanted, await FindAsync(facts, name, ct)));
        }

        return results;
    }

    /// <param name="live">Null: there is none.</param>
    internal static CheckResult Compare(string name, JsonObject wanted, JsonObject? live)
    {
        if (live is null)
        {
            return CheckResult.Fail(Check, $"{name} is not there", Apply);
        }

        var established = (live["status"]?["conditions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(one => (string?)one["type"] == "Established");
        if ((string?)established?["status"] != "True")
        {
            return CheckResult.Fail(Check, $"{name} is not established: {established?["message"] ?? "the API server has not said anything of it"}", "kubectl describe crd " + name);
        }

        var stored = (live["status"]?["storedVersions"] as JsonArray ?? []).Select(one => (string?)one).ToList();
        var served = wanted["spec"]!["versions"]!.AsArray().Select(one => (string?)one!["name"]).ToList();
        if (stored.Except(served).ToList() is { Count: > 0 } old)
        {
            return CheckResult.Warn(Check, $"{name} has objects stored as {string.Join(", ", old)}, which this version does not serve", "store them anew (kubectl get … -o yaml | kubectl replace -f -), then take the version out of status.storedVersions");
        }

        var changes = ObjectDifference.Of(Versions(live), Versions(wanted));
        return changes.Count == 0
            ? CheckResult.Ok(Check, $"{name} is this version's, stored as {string.Join(", ", stored)}")
            : CheckResult.Fail(Check, $"{name} is another version's: {changes.Count} fields differ, first {changes[0].Path}", Apply);
    }

    private static JsonObject Versions(JsonObject definition) => new() { ["versions"] = definition["spec"]!["versions"]!.DeepClone() };

    private static async Task<JsonObject?> FindAsync(ClusterFacts facts, string name, CancellationToken ct)
    {
        try
        {
            return await facts.GetAsync($"apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}", ct);
        }
        catch (KubernetesApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }
}
