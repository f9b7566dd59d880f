using System.CommandLine;
using System.Text.Json.Nodes;
using Phi.Cli.Commands;
using Phi.Cli.Planning;
using Phi.Planning.Reports;
using Phi.Tests;

namespace Phi.Cli.Tests;

/// <summary><c>phi plan</c> on files.</summary>
public sealed class PlanCommandTests : IDisposable
{
    private const string Head = "apiVersion: phi-orchestrator.io/v1alpha1\nkind: TrainingJob\nmetadata: {name: job}\nspec:\n  ";
    private const string Small = "accelerator: {type: nvidia-a100-80gb, perReplica: 8}\n  phi: {steps: 10, model: {preset: phi-1}, data: {sources: [/x]}}";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi plan ").FullName;

    public static TheoryData<string> Samples => [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "operators", "samples"), "*.yaml").Select(Path.GetFileName).OfType<string>()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Plan_OfASample_IsTextAndJson(string sample)
    {
        var path = Path.Combine(Repository.Root, "operators", "samples", sample);
        var (text, json) = (await RunAsync(path), JsonNode.Parse(await RunAsync(path, "-o", "json"))!);

        Assert.Contains("Assumed", text, StringComparison.Ordinal);
        Assert.StartsWith((string)json["job"]! + ": ", text, StringComparison.Ordinal);
        if ((string?)json["kind"] == "phi")
        {
            Assert.True((double)json["acceleratorHours"]! > 0);
            Assert.True((long)json["memory"]!["totalBytes"]! > 0);
        }
    }

    [Fact]
    public async Task Plan_OfPhi1_SaysWhatAPersonAsks()
    {
        var text = await RunAsync(Path.Combine(Repository.Root, "operators/samples/phi-1.yaml"), "--simulate", "2", "--mtbf", "1000");

        foreach (var says in new[] { "8 × nvidia-a100-80gb on 1 node", "accelerator-hours", "it fits", "activations", "all-gather", "ZeRO++", "strong scaling", "weak scaling", "best" })
        {
            Assert.Contains(says, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Compare_Alone_SettingsAndFiles_HasARowForEach()
    {
        var job = Write("job.yaml", Small);
        var other = Write("other one.yaml", Small.Replace("perReplica: 8", "perReplica: 4", StringComparison.Ordinal));

        var usual = JsonNode.Parse(await RunAsync(job, "--compare", "-o", "json"))!["alternatives"]!.AsArray();
        var given = JsonNode.Parse(await RunAsync(job, "-o", "json", "--compare", "zero.stage=2,phi.batch.micro=2", other))!["alternatives"]!.AsArray();

        Assert.Equal("as it is", (string?)usual[0]!["name"]);
        Assert.Equal(["job", "zero.stage=2,phi.batch.micro=2", other], given.Select(row => (string?)row!["name"]));
        Assert.NotEqual((double)given[0]!["memoryBytes"]!, (double)given[1]!["memoryBytes"]!);
    }

    [Theory]
    [InlineData("--compare zero.stage=9", "spec.zero.stage", ExitCodes.InvalidManifest)]
    [InlineData("--compare zero.stages=2", "stages", ExitCodes.InvalidManifest)]
    [InlineData("--compare zero.stage", "FIELD=VALUE", ExitCodes.Usage)]
    [InlineData("--compare nowhere/job.yaml", "nowhere/job.yaml", ExitCodes.Usage)]
    [InlineData("--compare =2", "FIELD=VALUE", ExitCodes.Usage)]
    [InlineData("--accelerator tpu-v5p", "--tflops", ExitCodes.Usage)]
    public async Task Plan_WhatCannotBe_SaysWhatToDo(string arguments, string says, int code)
    {
        var error = await Assert.ThrowsAsync<CliException>(() => RunAsync([Write("job.yaml", Small), .. arguments.Split(' ')]));

        Assert.Equal(code, error.ExitCode);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--simulate 0", "--simulate 0 must be from 1")]
    [InlineData("--simulate 9000", "must be from 1 to 8192")]
    [InlineData("--mtbf -1", "--mtbf -1 must be from")]
    [InlineData("--mfu 1.5", "--mfu 1.5 must be above 0 and at most 1")]
    [InlineData("--network 0", "--network 0 must be above 0")]
    [InlineData("--memory NaN", "--memory NaN must be above 0")]
    public void Options_OutOfTheirRange_NameValueAndRule(string arguments, string says) =>
        Assert.Contains(PlanCommand.Create().Parse(["job.yaml", .. arguments.Split(' ')]).Errors, error => error.Message.Contains(says, StringComparison.Ordinal));

    [Fact]
    public async Task Plan_OfAnUnknownAccelerator_HasNoTimesUntilFiguresAreGiven()
    {
        var job = Write("job.yaml", Small.Replace("nvidia-a100-80gb", "fpga-9", StringComparison.Ordinal));

        Assert.Null(JsonNode.Parse(await RunAsync(job, "-o", "json"))!["acceleratorHours"]);
        Assert.True((double)JsonNode.Parse(await RunAsync(job, "-o", "json", "--tflops", "100", "--memory", "64"))!["acceleratorHours"]! > 0);
        Assert.Contains("--tflops", (await Assert.ThrowsAsync<CliException>(() => RunAsync(job, "--simulate", "4"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_APlanThatFitsNowhere_SaysSo()
    {
        var to = new StringWriter();
        PlanText.Write(new TrainingPlan
        {
            Job = "job", Kind = "phi", Accelerator = "a", Accelerators = 1, Nodes = 1, Assumptions = [], Memory = new MemoryFigures([new("activations", 100, "x")], 100, 10, Fits: false),
        }, to);

        Assert.Contains("IT DOES NOT FIT", to.ToString(), StringComparison.Ordinal);
        Assert.Contains("no single change", to.ToString(), StringComparison.Ordinal);
    }

    private string Write(string name, string spec)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, Head + spec + "\n");
        return path;
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var to = new StringWriter();
        Assert.Equal(ExitCodes.Succeeded, await PlanCommand.Create().Parse(arguments).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, Output = to }, TestContext.Current.CancellationToken));
        return to.ToString();
    }
}
