using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary><c>phi doctor</c> on a cluster that is well, on one that does not answer, and where there is none.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class DoctorTests(TrainedCluster trained)
{
    private PhiCluster Cluster => trained.Cluster;

    [Fact(Skip = PhiCluster.NeedsOwnControlPlane, SkipType = typeof(PhiCluster), SkipWhen = nameof(PhiCluster.IsJoined))]
    public async Task Doctor_AClusterThatIsWell_FindsNothingThatFails()
    {
        var result = await Cluster.PhiAsync("doctor", "--output", "json");

        Assert.True(result.ExitCode == 0, result.ToString());
        var report = JsonNode.Parse(result.Output)!;
        var good = report["checks"]!.AsArray().Where(check => (string?)check!["state"] == "Ok").Select(check => (string?)check!["check"]).ToHashSet();
        Assert.True((bool?)report["isHealthy"]);
        Assert.Superset(new HashSet<string?> { "trainer", "API server", "clock", "definitions", "permissions", "operator", "nodes", "node clocks", "checkpoints", "telemetry", "dashboard" }, good);
    }

    [Fact]
    public async Task Doctor_AnApiServerThatDoesNotAnswer_FailsAndSaysWhatToDo()
    {
        var kubeconfig = Path.Combine(Cluster.Work, "dead");
        await File.WriteAllTextAsync(kubeconfig, "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: c, context: {cluster: c}}]\ncurrent-context: c\n", TestContext.Current.CancellationToken);

        var result = await Cluster.PhiAsync("doctor", "--kubeconfig", kubeconfig);

        Assert.Equal(9, result.ExitCode);
        Assert.Matches(@"(?m)^FAIL     API server +https://127.0.0.1:1/ of ", result.Output);
        Assert.Contains("→ see that it runs and can be reached from here", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', result.Output);
    }

    [Fact]
    public async Task Doctor_WithoutACluster_ChecksTheMachineAndNamesPhiUp()
    {
        var empty = Directory.CreateDirectory(Path.Combine(Cluster.Work, "nobody")).FullName;
        var nowhere = new Dictionary<string, string> { ["HOME"] = empty, ["PHI_HOME"] = Path.Combine(empty, ".phi"), ["KUBECONFIG"] = "" };

        var result = await CommandResult.RunAsync(Tools.Phi, ["doctor"], Cluster.Work, input: null, nowhere);

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Matches(@"(?m)^OK       trainer ", result.Output);
        Assert.Matches(@"(?m)^SKIPPED  cluster +no cluster is known: start one with phi up", result.Output);
        Assert.False(Directory.Exists(Path.Combine(empty, ".phi")));
    }
}
