using System.Xml.Linq;
using Phi.Api.Crds;
using Xunit;

namespace Phi.Api.Tests;

/// <summary><c>operators/crds</c> is what the wire types say. PHI_UPDATE_GOLDEN=1 writes it anew.</summary>
public sealed class CrdGeneratorTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "operators", "crds");

    public static TheoryData<string> Files => [.. Generate().Keys];

    [Theory]
    [MemberData(nameof(Files))]
    public void Golden(string name)
    {
        var (path, text) = (Path.Combine(Folder, name), Generate()[name]);
        if (Environment.GetEnvironmentVariable("PHI_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.Equal(File.ReadAllText(path), text);
    }

    [Fact]
    public void CatalogHoldsEveryFile() => Assert.Equal(Generate().Count, CrdCatalog.All.Count);

    private static IReadOnlyDictionary<string, string> Generate() => CrdGenerator.Generate(XDocument.Load(Path.ChangeExtension(typeof(CrdGenerator).Assembly.Location, ".xml")));
}
