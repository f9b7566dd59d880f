using System.Xml.Linq;

namespace Phi.Architecture.Tests;

/// <summary>Who may use whom, at compile time: the project and package references, read from the project files.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Phi.Api"] = [],
        ["Phi.Collectives"] = [],
        ["Phi.Data"] = [],
        ["Phi.Evaluation"] = [],
        ["Phi.Kubernetes"] = ["Phi.Api"],
        ["Phi.Checkpoints"] = ["Phi.Api"],
        ["Phi.Planning"] = ["Phi.Checkpoints", "Phi.Api"],
        ["Phi.Training"] = ["Phi.Data", "Phi.Collectives", "Phi.Checkpoints", "Phi.Api"],
        ["Phi.Telemetry"] = ["Phi.Api"],
        ["Phi.Trainer"] = ["Phi.Training", "Phi.Evaluation", "Phi.Data", "Phi.Collectives", "Phi.Checkpoints", "Phi.Api"],
        ["Phi.LocalCluster"] = ["Phi.Kubernetes", "Phi.Api"],
        ["Phi.Reconcile"] = ["Phi.Api"],
        ["Phi.Operator"] = ["Phi.Reconcile", "Phi.Telemetry", "Phi.Checkpoints", "Phi.Planning", "Phi.Kubernetes", "Phi.Api"],
        ["Phi.Dashboard"] = ["Phi.Reconcile", "Phi.Telemetry", "Phi.Checkpoints", "Phi.Kubernetes", "Phi.Api"],
        ["Phi.Cli"] = ["Phi.Api", "Phi.Data", "Phi.Evaluation", "Phi.Checkpoints", "Phi.Planning", "Phi.Kubernetes", "Phi.LocalCluster", "Phi.Operator", "Phi.Dashboard"],
    };

    public static TheoryData<string> Projects => [.. Allowed.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectReferences_OfAProject_StayWithinItsArrows(string project)
    {
        var references = Items(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))).ToList();

        Assert.Empty(references.Except(Allowed[project]));
    }

    [Fact]
    public void ProjectFiles_OfTheProduct_AreAllCovered()
    {
        string[] folders = ["src", "operators", "dashboard"];
        var found = folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(Path.GetFileNameWithoutExtension);

        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Collectives_References_HaveNoTorch() => Assert.DoesNotContain("TorchSharp", Items("Phi.Collectives", "PackageReference"));

    [Fact]
    public void Reconcile_References_HaveNoKubernetesClient() =>
        Assert.Equal(["Microsoft.CodeAnalysis.BannedApiAnalyzers"], Items("Phi.Reconcile", "PackageReference"));

    [Fact]
    public void TorchSharp_IsReferencedBy_TheTrainingEngineAlone() =>
        Assert.Equal(["Phi.Training"], Allowed.Keys.Where(project => Items(project, "PackageReference").Contains("TorchSharp")));

    private static IEnumerable<string> Items(string project, string kind)
    {
        var file = Directory.EnumerateFiles(Repository.Root, project + ".csproj", SearchOption.AllDirectories)
            .First(path => !path.Contains("/artifacts/", StringComparison.Ordinal));
        return XDocument.Load(file).Descendants(kind).Select(item => (string?)item.Attribute("Include")).OfType<string>();
    }
}
