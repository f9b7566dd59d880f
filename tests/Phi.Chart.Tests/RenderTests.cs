using Phi.Api.Crds;
using Phi.Api.Manifests;

namespace Phi.Chart.Tests;

/// <summary>What the chart renders: <c>Golden/SET.values.yaml</c> beside <c>Golden/SET.yaml</c>. PHI_UPDATE_GOLDEN=1 writes the latter anew.</summary>
public sealed class RenderTests
{
    public static TheoryData<string> ValueSets => [.. HelmChart.ValueSets];

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Template_AValueSet_IsTheGoldenFile(string set) => Same(Path.Combine(HelmChart.Golden, set + ".yaml"), await HelmChart.RenderAsync(set));

    [Theory]
    [MemberData(nameof(ValueSets))]
    public async Task Lint_AValueSet_FindsNothing(string set) =>
        (await CommandResult.RunAsync(HelmChart.Program, ["lint", "--strict", HelmChart.Folder, "--values", HelmChart.ValuesFile(set)])).Ok();

    [Fact]
    public async Task PlainManifest_IsWhatItsCommandPrints()
    {
        var rendered = (await CommandResult.RunAsync(Path.Combine(Repository.Root, "deploy", "render.sh"), [])).Ok().Output;

        Same(Path.Combine(Repository.Root, "deploy", "phi-orchestrator.yaml"), rendered);
        Assert.DoesNotContain("helm.sh/hook", rendered, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Definitions_AreTheProducts_AndOutliveTheRelease()
    {
        var rendered = ManifestReader.Read((await HelmChart.TemplateAsync("--set", "postgres.enabled=true", "--show-only", "templates/crds.yaml")).Ok().Output);

        Assert.Equal(CrdCatalog.All.Count, rendered.Count);
        foreach (var definition in rendered)
        {
            Assert.Equal("keep", (string?)definition["metadata"]!["annotations"]!["helm.sh/resource-policy"]);
            definition["metadata"]!.AsObject().Remove("annotations");
        }

        Assert.Equal(CrdCatalog.All.Select(text => ManifestReader.Read(text)[0].ToJsonString()), rendered.Select(definition => definition.ToJsonString()).OrderBy(text => text, StringComparer.Ordinal).ToList(), new SetComparer());
    }

    [Fact]
    public async Task Passwords_ThatNobodyGave_AreNotTheSameTwice()
    {
        var renders = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => HelmChart.TemplateAsync("--set", "postgres.enabled=true,crds.enabled=false")));
        var passwords = renders.Select(render => ManifestReader.Read(render.Ok().Output).Where(one => (string?)one["kind"] == "Secret").Select(secret => secret["data"]!.ToJsonString()).ToList()).ToList();

        Assert.All(passwords, made => Assert.Equal(2, made.Count));
        Assert.Empty(passwords[0].Intersect(passwords[1]));
    }

    private static void Same(string path, string text)
    {
        if (Environment.GetEnvironmentVariable("PHI_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }

    /// <summary>In any order.</summary>
    private sealed class SetComparer : IEqualityComparer<IEnumerable<string>>
    {
        public bool Equals(IEnumerable<string>? x, IEnumerable<string>? y) => x!.ToHashSet(StringComparer.Ordinal).SetEquals(y!);

        public int GetHashCode(IEnumerable<string> obj) => 0;
    }
}
