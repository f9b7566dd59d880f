namespace Phi.EndToEnd.Tests;

/// <summary>phi as kubectl's plugin and in shells, with the real kubectl and the real bash.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class PluginTests(TrainedCluster trained)
{
    private PhiCluster Cluster => trained.Cluster;

    [Fact]
    public async Task KubectlPhi_AsAPlugin_IsPhiOnKubectlsCluster()
    {
        var result = await KubectlAsync("phi", "get", TrainedCluster.Job, "-n", Cluster.Namespace, "-o", "name");
        var wrong = await KubectlAsync("phi", "get", "-o", "xml");

        Assert.Equal((0, $"trainingjob.phi-orchestrator.io/{TrainedCluster.Job}\n"), (result.ExitCode, result.Output));
        Assert.Equal((2, ""), (wrong.ExitCode, wrong.Output));
    }

    [Fact]
    public async Task KubectlsCompletion_OfThePlugin_HasCommandsAndNames()
    {
        var commands = await KubectlAsync("__complete", "phi", "des");
        var names = await KubectlAsync("__complete", "phi", "logs", "-n", Cluster.Namespace, "tra");
        var none = await CommandResult.RunAsync(Tools.Kubectl, ["__complete", "phi", "logs", ""], Cluster.Work, null, new Dictionary<string, string>(Environment) { ["KUBECONFIG"] = Path.Combine(Cluster.Work, "nothing") });

        Assert.Equal("describe\n:4\n", commands.Output);
        Assert.Equal($"{TrainedCluster.Job}\n:4\n", names.Output);
        Assert.Equal((0, ":4\n"), (none.ExitCode, none.Output));
    }

    [Theory]
    [InlineData("phi|des", "describe")]
    [InlineData("phi|get|-o|j", "json")]
    [InlineData("phi|get|--output|=|wi", "wide")]
    [InlineData("phi|logs|-n|NAMESPACE|tra", TrainedCluster.Job)]
    [InlineData("phi|queue|", "ls,what-if")]
    [InlineData("phi|submit|one ma", "one manifest.yaml")]
    public async Task BashsFunction_AWordAtThePrompt_CompletesIt(string words, string expected)
    {
        await File.WriteAllTextAsync(Path.Combine(Cluster.Work, "one manifest.yaml"), "", TestContext.Current.CancellationToken);
        var line = words.Replace("NAMESPACE", Cluster.Namespace, StringComparison.Ordinal).Split('|');
        // As bash fills them in when Tab is pressed.
        const string script = """
            source <(phi completion bash)
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            function=$(complete -p phi | sed 's/.*-F \([^ ]*\) .*/\1/')
            "$function" phi "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            (IFS=,; printf '%s' "${COMPREPLY[*]}")
            """;

        var result = await CommandResult.RunAsync("bash", ["--norc", "-c", script, "bash", .. line], Cluster.Work, null, Environment);

        Assert.Equal((0, expected, ""), (result.ExitCode, result.Output, result.Error));
    }

    private Dictionary<string, string> Environment => new()
    {
        ["PATH"] = $"{Path.GetDirectoryName(Tools.Cli)}:{System.Environment.GetEnvironmentVariable("PATH")}",
        ["KUBECONFIG"] = Cluster.Kubeconfig,
    };

    private Task<CommandResult> KubectlAsync(params string[] arguments) => CommandResult.RunAsync(Tools.Kubectl, arguments, Cluster.Work, null, Environment);
}
