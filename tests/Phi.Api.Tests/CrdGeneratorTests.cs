using System.Xml.Linq;
using Phi.Api.Crds;
using Xunit;

namespace Phi.Api.Tests;

/// <summary><c>operators/crds</c>, and the chart's copy, which must lie in its folder, are what the wire types say. PHI_UPDATE_GOLDEN=1 writes both anew.</summary>
public sealed class CrdGeneratorTests
{
    private static readonly string[] Folders = [Path.Combine(Repository.Root, "operators", "crds"), Path.Combine(Repository.Root, "charts", "phi-orchestrator", "files", "crds")];

    public static TheoryData<string> Files => [.. Generate().Keys];

    [Theory]
    [MemberData(nameof(Files))]
    public void Golden(string name)
    {
        var text = Generate()[name];
        foreach (var path in Folders.Select(folder => Path.Combine(folder, name)))
        {
            if (Environment.GetEnvironmentVariable("PHI_UPDATE_GOLDEN") == "1")
            {
                File.WriteAllText(path, text);
            }

            Assert.Equal(File.ReadAllText(path), text);
        }
    }

    [Fact]
    public void Folders_HoldNothingElse() => Assert.All(Folders, folder => Assert.Equal(Generate().Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(folder, "*.yaml").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)));

    [Fact]
    public void CatalogHoldsEveryFile() => Assert.Equal(Generate().Count, CrdCatalog.All.Count);

    private static IReadOnlyDictionary<string, string> Generate() => CrdGenerator.Generate(XDocument.Load(Path.ChangeExtension(typeof(CrdGenerator).Assembly.Location, ".xml")));
}
