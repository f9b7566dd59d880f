using Phi.Docs.Tests.Reference;

namespace Phi.Docs.Tests;

/// <summary>The generated pages are what the code says. PHI_UPDATE_GOLDEN=1 writes them anew.</summary>
public sealed class ReferenceTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "reference");

    private static readonly Dictionary<string, Func<string>> Pages = new()
    {
        ["trainingjob.md"] = () => CrdPage.Write("TrainingJob"),
        ["trainingqueue.md"] = () => CrdPage.Write("TrainingQueue"),
        ["crontrainingjob.md"] = () => CrdPage.Write("CronTrainingJob"),
        ["cli.md"] = CliPage.Write,
        ["metrics.md"] = MetricsPage.Write,
        ["environment.md"] = EnvironmentPage.Write,
    };

    public static TheoryData<string> Names => [.. Pages.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Page_IsWhatTheCodeSays(string name)
    {
        var (path, text) = (Path.Combine(Folder, name), Pages[name]());
        if (Environment.GetEnvironmentVariable("PHI_UPDATE_GOLDEN") == "1")
        {
            File.WriteAllText(path, text);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == text, $"docs/reference/{name} is not what the code says: PHI_UPDATE_GOLDEN=1 ./phi test Docs writes it anew");
    }

    [Fact]
    public void Folder_HoldsNothingElse() => Assert.Equal(Pages.Keys.Order(StringComparer.Ordinal), Directory.EnumerateFiles(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));

    /// <summary>A metric that is registered in a form that the page's reader does not know would be left out.</summary>
    [Fact]
    public void Metrics_EveryRegistration_IsOnThePage() => Assert.Equal(MetricsPage.Calls, MetricsPage.Metrics().Count());
}
