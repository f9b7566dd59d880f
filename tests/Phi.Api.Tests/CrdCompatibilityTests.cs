using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.Api.Manifests;

namespace Phi.Api.Tests;

/// <summary>
/// Within a version a definition may only grow. <c>Released</c> has the definitions of every release as they were; a release adds its folder
/// (docs/operations/upgrades.md), nothing changes one.
/// </summary>
public sealed class CrdCompatibilityTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests", "Phi.Api.Tests", "Released");

    /// <summary>Changes that the comparison takes for breaking and that are none, such as a rule that was loosened: the line, and why.</summary>
    private static readonly Dictionary<string, string> Harmless = [];

    public static TheoryData<string> Released => [.. Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Released))]
    public void Definition_SinceARelease_OnlyGrew(string file)
    {
        var released = ManifestReader.Read(File.ReadAllText(Path.Combine(Folder, file)))[0];
        var name = (string)released["metadata"]!["name"]!;
        var current = CrdCatalog.All.Select(yaml => ManifestReader.Read(yaml)[0]).FirstOrDefault(one => (string?)one["metadata"]!["name"] == name);

        Assert.True(current is not null, $"{name} is gone");
        Assert.Equal("", string.Join('\n', SchemaChanges.Breaking(released, current).Where(change => !Harmless.ContainsKey(change))));
    }

    [Fact]
    public void Versions_AllOfThem_NeedNoConversion() => Assert.All(CrdCatalog.All.Select(yaml => ManifestReader.Read(yaml)[0]["spec"]!), spec =>
    {
        Assert.Null(spec["conversion"]);
        Assert.Single(spec["versions"]!.AsArray(), version => (bool)version!["storage"]!);
    });

    [Theory]
    [InlineData("properties.spec.properties", "replicas", null, "spec.replicas is gone")]
    [InlineData("properties.status.properties", "attempt", null, "status.attempt is gone")]
    [InlineData("properties.spec.properties.replicas", "type", "\"string\"", "type is \"string\", and was \"integer\"")]
    [InlineData("properties.spec.properties.replicas", "default", "2", "default is 2, and was 1")]
    [InlineData("properties.spec.properties.managedBy", "maxLength", "10", "a limit may only grow")]
    [InlineData("properties.spec.properties.queue", "maxLength", "10", "a limit may only grow")]
    [InlineData("properties.spec.properties.queue", "enum", """["a"]""", "only a are taken")]
    [InlineData("properties.spec.properties.topology.properties.require", "enum", """["rack", "zone"]""", "the value nvlink-domain is gone")]
    [InlineData("properties.spec", "required", """["queue"]""", "spec.queue is required")]
    [InlineData("properties.spec.properties.queue", "x-kubernetes-validations", """[{"rule": "size(self) > 3"}]""", "the rule size(self) > 3 is new")]
    [InlineData("properties.spec.properties.recovery.properties.rules.items.properties", "action", null, "spec.recovery.rules[].action is gone")]
    public void Breaking_AChangeThatRefusesOrLoses_SaysSo(string at, string key, string? value, string says)
    {
        var (released, current) = (Job(), Job());
        var schema = Schema(current);
        foreach (var part in at.Split('.'))
        {
            schema = schema[part]!.AsObject();
        }

        schema[key] = value is null ? null : JsonNode.Parse(value);
        if (value is null)
        {
            schema.Remove(key);
        }

        Assert.Contains(SchemaChanges.Breaking(released, current), change => change.Contains(says, StringComparison.Ordinal));
    }

    [Fact]
    public void Breaking_WhatIsOnlyAdded_IsNone()
    {
        var (released, current) = (Job(), Job());
        var spec = Schema(current)["properties"]!["spec"]!;
        spec["properties"]!["dataset"] = JsonNode.Parse("""{"type": "string", "default": "all", "enum": ["all", "none"], "x-kubernetes-validations": [{"rule": "true"}]}""");
        spec["required"] = new JsonArray("dataset");
        spec["properties"]!["managedBy"]!["maxLength"] = 100;
        spec["properties"]!["topology"]!["properties"]!["require"]!["enum"]!.AsArray().Add("row");

        Assert.Empty(SchemaChanges.Breaking(released, current));
    }

    [Fact]
    public void Breaking_AVersionThatIsNoLongerServed_SaysSo()
    {
        var (released, current) = (Job(), Job());
        current["spec"]!["versions"]![0]!["served"] = false;

        Assert.Contains("is no longer served", Assert.Single(SchemaChanges.Breaking(released, current)), StringComparison.Ordinal);
    }

    private static JsonObject Job() => CrdCatalog.All.Select(yaml => ManifestReader.Read(yaml)[0]).Single(one => (string?)one["spec"]!["names"]!["kind"] == "TrainingJob");

    private static JsonObject Schema(JsonObject definition) => definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!.AsObject();
}
