using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using k8s;
using k8s.Models;

namespace Phi.Chart.Tests;

/// <summary>Every object is one that Kubernetes knows, with no field that it does not.</summary>
public sealed class ObjectTests
{
    private static readonly JsonSerializerOptions Strict = new() { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, PropertyNameCaseInsensitive = false };
    private static readonly Dictionary<(string ApiVersion, string Kind), Type> Models = typeof(V1Pod).Assembly.GetTypes()
        .Select(type => (Type: type, Entity: type.GetCustomAttribute<KubernetesEntityAttribute>()))
        .Where(pair => pair.Entity is not null && typeof(IKubernetesObject).IsAssignableFrom(pair.Type))
        .GroupBy(pair => (pair.Entity!.Group.Length == 0 ? pair.Entity.ApiVersion : $"{pair.Entity.Group}/{pair.Entity.ApiVersion}", pair.Entity.Kind))
        .ToDictionary(group => group.Key, group => group.First().Type);

    public static TheoryData<string> ValueSets => [.. HelmChart.ValueSets];

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Objects_OfAValueSet_HaveOnlyFieldsOfTheirKind(string set)
    {
        foreach (var value in (await HelmChart.ObjectsAsync(set)).Where(value => !IsPrometheus(value)))
        {
            var type = Models.GetValueOrDefault(((string)value["apiVersion"]!, (string)value["kind"]!));
            Assert.True(type is not null, $"no kind {value["apiVersion"]} {value["kind"]}");
            var problem = Record.Exception(() => value.Deserialize(type, Strict));
            Assert.True(problem is null, $"{HelmChart.Name(value)}: {problem?.Message}");
        }
    }

    [Fact]
    public void Models_AFieldThatThereIsNot_Fails() =>
        Assert.Throws<JsonException>(() => JsonNode.Parse("""{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "imagePolicy": "b"}]}}""").Deserialize<V1Pod>(Strict));

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Objects_OfAValueSet_AreNamedOnceAndLabelled(string set)
    {
        var objects = await HelmChart.ObjectsAsync(set);

        Assert.Equal(objects.Count, objects.Select(one => $"{one["apiVersion"]} {HelmChart.Name(one)} {one["metadata"]!["namespace"]}").Distinct().Count());
        Assert.All(objects, one => Assert.Equal("phi-orchestrator", (string?)one["metadata"]!["labels"]?["app.kubernetes.io/part-of"]));
        Assert.All(objects, one => Assert.True(((string)one["metadata"]!["name"]!).Length <= 63, HelmChart.Name(one)));
    }

    /// <summary>A Service, a budget or a policy whose labels are nobody's does nothing, and nobody notices.</summary>
    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Selectors_OfAValueSet_FindPods(string set)
    {
        var objects = await HelmChart.ObjectsAsync(set);
        var pods = HelmChart.PodTemplates(objects).Select(pod => pod.Template["metadata"]!["labels"]!.AsObject()).ToList();
        var selectors = objects.Select(one => (Name: HelmChart.Name(one), Selector: (string?)one["kind"] switch
        {
            "Service" => one["spec"]!["selector"],
            "PodDisruptionBudget" or "Deployment" or "StatefulSet" => one["spec"]!["selector"]!["matchLabels"],
            "NetworkPolicy" => one["spec"]!["podSelector"]!["matchLabels"],
            _ => null,
        })).Where(pair => pair.Selector is not null).ToList();

        Assert.NotEmpty(selectors);
        Assert.All(selectors, pair => Assert.True(pods.Exists(labels => pair.Selector!.AsObject().All(wanted => (string?)labels[wanted.Key] == (string?)wanted.Value)), $"{pair.Name} selects no pod"));
        Assert.All(objects.Where(one => (string?)one["kind"] == "Service"), service => Assert.All(service["spec"]!["ports"]!.AsArray(), port => Assert.Contains(
            HelmChart.PodTemplates(objects).SelectMany(pod => pod.Template["spec"]!["containers"]!.AsArray()).SelectMany(container => container!["ports"] as JsonArray ?? []),
            named => (string?)named!["name"] == (string?)port!["targetPort"])));
    }

    internal static bool IsPrometheus(JsonObject value) => ((string)value["apiVersion"]!).StartsWith("monitoring.coreos.com/", StringComparison.Ordinal);
}
