using System.CommandLine;
using System.Text.Json.Nodes;
using Phi.Cli.Commands;

namespace Phi.Cli.Tests;

/// <summary><c>phi render deepspeed</c> on files.</summary>
public sealed class RenderCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi render ").FullName;

    private string Output => Path.Combine(_folder, "ds.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Render_ContainerJob_WritesTheFile()
    {
        Assert.Equal(ExitCodes.Succeeded, await RunAsync("container: {image: image}\n  zero: {quantizedWeights: {}}"));

        var zero = JsonNode.Parse(await File.ReadAllTextAsync(Output))!["zero_optimization"]!;
        Assert.Equal((3, true), ((int)zero["stage"]!, (bool)zero["zero_quantized_weights"]!));
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData("container: {image: image}\n  zero: {stage: 1, quantizedGradients: {}}", "spec.zero.quantizedGradients.enabled")]
    [InlineData("container: {image: image}\n  zero: {quantisedWeights: {}}", "quantisedWeights")]
    [InlineData("container: {image: image}\n  zero: {stage: three}", "spec.zero.stage")]
    [InlineData("zero: {stage: 3}", "must have exactly one of phi, container")]
    public async Task Render_BrokenSpec_NamesTheFieldAndWritesNothing(string spec, string expected)
    {
        var error = await Assert.ThrowsAsync<CliException>(() => RunAsync(spec));

        Assert.Equal(ExitCodes.InvalidManifest, error.ExitCode);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Output));
    }

    [Fact]
    public async Task Render_FolderThatIsNotThere_SaysWhatCannotBeWritten()
    {
        var error = await Assert.ThrowsAsync<CliException>(() => RunAsync("container: {image: image}", Path.Combine(_folder, "none", "ds.json")));

        Assert.Equal(ExitCodes.Usage, error.ExitCode);
        Assert.Contains("cannot write", error.Message, StringComparison.Ordinal);
    }

    private async Task<int> RunAsync(string spec, string? output = null)
    {
        var manifest = Path.Combine(_folder, "job.yaml");
        await File.WriteAllTextAsync(manifest, $"apiVersion: phi-orchestrator.io/v1alpha1\nkind: TrainingJob\nmetadata: {{name: job}}\nspec:\n  {spec}\n");
        return await RenderCommand.Create().Parse(["deepspeed", manifest, "--output", output ?? Output])
            .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Error = TextWriter.Null }, TestContext.Current.CancellationToken);
    }
}
