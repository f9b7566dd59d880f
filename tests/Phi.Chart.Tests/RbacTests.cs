using System.Text.Json.Nodes;
using Phi.Api.Manifests;

namespace Phi.Chart.Tests;

/// <summary>The rules are data (<c>files/rbac</c>), and each is exact.</summary>
public sealed class RbacTests
{
    private static readonly string[] Verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];

    public static TheoryData<string> Parts => ["operator", "dashboard"];

    [Theory]
    [MemberData(nameof(Parts))]
    public void Rules_NameTheirResourcesAndVerbs(string part)
    {
        var rules = Rules(part).SelectMany(section => section.Value!.AsArray()).ToList();

        Assert.Equal(["cluster", "namespaced", "own"], Rules(part).Select(section => section.Key));
        Assert.All(rules, rule => Assert.Empty(Texts(rule!["verbs"]).Except(Verbs)));
        Assert.All(rules, rule => Assert.DoesNotContain("*", Texts(rule!["apiGroups"]).Concat(Texts(rule["resources"]))));
        var grants = rules.SelectMany(rule => from resource in Texts(rule!["resources"]) from verb in Texts(rule["verbs"]) select $"{verb} {resource} {rule["resourceNames"]?.ToJsonString()}").ToList();
        Assert.Equal(grants.Count, grants.Distinct().Count());
    }

    /// <summary>Whoever may read any Secret can become anybody.</summary>
    [Theory]
    [MemberData(nameof(Parts))]
    public void Rules_OfSecrets_AreOfNamedOnes(string part) => Assert.All(
        Rules(part).SelectMany(section => section.Value!.AsArray()).Where(rule => Texts(rule!["resources"]).Contains("secrets")),
        rule => Assert.True(rule!["resourceNames"] is JsonArray { Count: > 0 } || Texts(rule["verbs"]).SequenceEqual(["create"])));

    [Fact]
    public async Task Roles_WithNamespaces_ReachNothingElsewhereButPods()
    {
        var objects = await HelmChart.ObjectsAsync("namespaced");
        var everywhere = objects.Where(one => (string?)one["kind"] == "ClusterRole").SelectMany(role => role["rules"]!.AsArray()).ToList();
        var namespaces = objects.Where(one => (string?)one["kind"] == "Role").Select(role => (string)role["metadata"]!["namespace"]!).Distinct().Order(StringComparer.Ordinal);

        Assert.Equal([HelmChart.Namespace, "team-a", "team-b"], namespaces);
        Assert.Equal(new[] { "operator", "dashboard" }.SelectMany(part => Rules(part)["cluster"]!.AsArray()).Select(rule => rule!.ToJsonString()), everywhere.Select(rule => rule!.ToJsonString()));
        foreach (var team in new[] { "team-a", "team-b" })
        {
            var role = Assert.Single(objects, one => (string?)one["kind"] == "Role" && (string?)one["metadata"]!["namespace"] == team && ((string)one["metadata"]!["name"]!).EndsWith("-operator", StringComparison.Ordinal));
            Assert.True(JsonNode.DeepEquals(Rules("operator")["namespaced"], role["rules"]));
        }
    }

    private static JsonObject Rules(string part) => ManifestReader.Read(File.ReadAllText(Path.Combine(HelmChart.Folder, "files", "rbac", part + ".yaml")))[0];

    private static IEnumerable<string> Texts(JsonNode? list) => (list as JsonArray ?? []).Select(text => (string)text!);
}
