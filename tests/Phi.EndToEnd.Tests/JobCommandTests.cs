using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary><c>phi get</c>, <c>phi top</c> and <c>phi logs</c> as a person calls them.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class JobCommandTests(TrainedCluster trained)
{
    private PhiCluster Cluster => trained.Cluster;

    [Fact]
    public async Task Get_ATrainedJob_IsATableJsonOrItsName()
    {
        var table = await RunAsync("get", "--namespace", Cluster.Namespace);
        Assert.Matches($@"\n{TrainedCluster.Job}\s+Succeeded\s+\d/2\s+{TrainedCluster.Steps}/{TrainedCluster.Steps}\s+\d\.\d{{4}}\s", table);

        var job = JsonNode.Parse(await RunAsync("get", TrainedCluster.Job, "-o", "json", "--namespace", Cluster.Namespace));
        Assert.Equal(TrainedCluster.Steps, (int?)job!["status"]!["progress"]!["step"]);
        Assert.Equal($"trainingjob.phi-orchestrator.io/{TrainedCluster.Job}\n", await RunAsync("get", TrainedCluster.Job, "-o", "name", "--namespace", Cluster.Namespace));
        Assert.Contains(JsonNode.Parse(await RunAsync("get", "-A", "-o", "json"))!["items"]!.AsArray(), item => (string?)item!["metadata"]!["uid"] == (string?)job["metadata"]!["uid"]);
    }

    [Fact]
    public async Task Top_WithoutATerminal_PrintsOnceWithTheLossSoFar() =>
        Assert.Matches(@"█[▂-█]*▁*\n", await RunAsync("top", "--namespace", Cluster.Namespace, "--telemetry", Path.Combine(Cluster.Home, "telemetry.db")));

    [Fact]
    public async Task Logs_OfAJob_AreThoseOfItsPodsOrOfOne()
    {
        var all = await RunAsync("logs", TrainedCluster.Job, "--namespace", Cluster.Namespace, "--tail", "1000");
        var one = await RunAsync("logs", TrainedCluster.Job, "--namespace", Cluster.Namespace, "--pod", $"{TrainedCluster.Job}-0", "--tail", "2", "--follow");

        Assert.Contains($"{TrainedCluster.Job}-0 step {TrainedCluster.Steps}/{TrainedCluster.Steps} loss ", all, StringComparison.Ordinal);
        Assert.Contains($"\n{TrainedCluster.Job}-1 ", "\n" + all, StringComparison.Ordinal);
        Assert.Equal(2, one.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.DoesNotContain($"{TrainedCluster.Job}-0 ", one, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_AboutWhatIsNotThere_SayWhatToDo()
    {
        var missing = await Cluster.PhiAsync([.. Kubeconfig("logs"), "nobody"]);
        var elsewhere = await Cluster.PhiAsync("get", "--kubeconfig", "/nowhere/kubeconfig");

        Assert.Equal((2, "phi: there is no TrainingJob default/nobody; list them with phi get"), (missing.ExitCode, missing.Error.Trim()));
        Assert.NotEqual(0, elsewhere.ExitCode);
        Assert.Contains("start a control plane with `phi up`", elsewhere.Error, StringComparison.Ordinal);
    }

    private async Task<string> RunAsync(string command, params string[] arguments)
    {
        var result = await Cluster.PhiAsync([.. Kubeconfig(command), .. arguments]);
        Assert.True(result.ExitCode == 0, result.ToString());
        return result.Output;
    }

    private string[] Kubeconfig(string command) => [command, "--kubeconfig", Cluster.Kubeconfig];
}
