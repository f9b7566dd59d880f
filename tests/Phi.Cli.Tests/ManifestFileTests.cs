using Phi.Cli.Jobs;
using Xunit;

namespace Phi.Cli.Tests;

/// <summary>Files that <c>phi run</c> is given.</summary>
public sealed class ManifestFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Read_OneTrainingJob_HasItsNameAndNamespace()
    {
        File.WriteAllText(_path, "apiVersion: phi-orchestrator.io/v1alpha1\nkind: TrainingJob\nmetadata: {name: job}\nspec: {}\n");

        Assert.Equal(new JobName("default", "job"), ManifestFile.Read(_path).Job);
    }

    [Theory]
    [InlineData("a: [", "not valid YAML")]
    [InlineData("kind: Pod\napiVersion: v1\n", "kind 'Pod'")]
    [InlineData("a: 1\n---\nb: 2\n", "2 objects")]
    [InlineData("apiVersion: phi-orchestrator.io/v1alpha1\nkind: TrainingJob\n", "metadata.name is missing")]
    public void Read_AnythingElse_SaysWhatIsWrong(string text, string expected)
    {
        File.WriteAllText(_path, text);

        var error = Assert.Throws<CliException>(() => ManifestFile.Read(_path));

        Assert.Equal(ExitCodes.InvalidManifest, error.ExitCode);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
