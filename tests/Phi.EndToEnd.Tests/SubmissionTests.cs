using System.Text.Json.Nodes;

namespace Phi.EndToEnd.Tests;

/// <summary><c>phi submit</c>, <c>diff</c>, <c>suspend</c>, <c>resume</c> and <c>describe</c> as a person calls them.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class SubmissionTests(TrainedCluster trained)
{
    private PhiCluster Cluster => trained.Cluster;

    [Fact]
    public async Task Submit_AManifestAgainAndAgain_SaysWhatItDid()
    {
        var manifest = Write("again", Manifests.Tiny("again", Manifests.WriteCorpus(Cluster.Work)).Replace("spec:", "spec:\n  suspend: true", StringComparison.Ordinal));

        var tried = await PhiAsync("submit", manifest, "--dry-run=server", "-o", "yaml");
        var before = await PhiAsync("diff", manifest);
        var created = await PhiAsync("submit", manifest);
        var unchanged = await PhiAsync("submit", manifest);
        var same = await PhiAsync("diff", manifest);
        Edit(manifest, "everySteps: 10", "everySteps: 5");
        var different = await PhiAsync("diff", manifest);
        var configured = await PhiAsync("submit", manifest, "-o", "json");
        Edit(manifest, "replicas: 2", "replicas: 1");
        var refused = await PhiAsync("submit", manifest);
        await Cluster.KubectlAsync("delete", "tj", "again");

        Assert.True(tried.ExitCode == 0 && tried.Output.Contains("maxRestarts: 3", StringComparison.Ordinal) && tried.Output.Contains("keepLast: 3", StringComparison.Ordinal), tried.ToString());
        Assert.True(before.ExitCode == 1 && before.Output.Contains("would be created", StringComparison.Ordinal) && before.Output.Contains("+ spec.checkpoint.keepLast: 3", StringComparison.Ordinal), before.ToString());
        Assert.Equal((0, "trainingjob.phi-orchestrator.io/again created\n"), (created.ExitCode, created.Output));
        Assert.Equal((0, "trainingjob.phi-orchestrator.io/again unchanged\n"), (unchanged.ExitCode, unchanged.Output));
        Assert.Equal((0, ""), (same.ExitCode, same.Output));
        Assert.Equal((1, $"{Cluster.Namespace}/again would change:\n~ spec.checkpoint.everySteps: 10 -> 5\n"), (different.ExitCode, different.Output));
        Assert.Equal(5, (int?)JsonNode.Parse(configured.Output)!["spec"]!["checkpoint"]!["everySteps"]);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("spec.replicas", refused.Error, StringComparison.Ordinal);
        Assert.Contains("must not change; delete the job and create it with the new number of pods", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_AValueThatSomebodyElseSet_IsAConflictUntilItIsForced()
    {
        var manifest = Write("contended", Manifests.Tiny("contended", Manifests.WriteCorpus(Cluster.Work)).Replace("spec:", "spec:\n  suspend: true", StringComparison.Ordinal));
        await PhiAsync("submit", manifest);
        await Cluster.KubectlAsync("patch", "tj", "contended", "--type=merge", "-p", """{"spec": {"checkpoint": {"everySteps": 7}}}""");

        var conflict = await PhiAsync("submit", manifest);
        var shown = await PhiAsync("diff", manifest, "-o", "json");
        var forced = await PhiAsync("submit", manifest, "--force-conflicts");
        await Cluster.KubectlAsync("delete", "tj", "contended");

        Assert.Equal(3, conflict.ExitCode);
        Assert.Contains(".spec.checkpoint.everySteps", conflict.Error, StringComparison.Ordinal);
        Assert.Contains("--force-conflicts", conflict.Error, StringComparison.Ordinal);
        Assert.Equal((1, "spec.checkpoint.everySteps"), (shown.ExitCode, (string?)JsonNode.Parse(shown.Output)![0]!["path"]));
        Assert.Contains("--force-conflicts", shown.Error, StringComparison.Ordinal);
        Assert.Equal((0, "trainingjob.phi-orchestrator.io/contended configured\n"), (forced.ExitCode, forced.Output));
    }

    [Fact]
    public async Task SubmitSuspendResume_Waiting_EndWhereTheyAreAskedTo()
    {
        // More steps than any machine takes meanwhile.
        var manifest = Write("long", Manifests.Tiny("long", Manifests.WriteCorpus(Cluster.Work), steps: 1_000_000, everySteps: 500_000));

        var late = await PhiAsync("submit", manifest, "--wait", "--timeout", "1s");
        await Cluster.WaitForStepAsync("long", 3);
        var suspended = await PhiAsync("suspend", "long", "--wait");
        var twice = await PhiAsync("suspend", "tj/long");
        var state = await Cluster.JobAsync("long");
        var resumed = await PhiAsync("resume", "long", "--wait", "--timeout", "5m");
        var described = await PhiAsync("describe", "long");
        await Cluster.KubectlAsync("delete", "tj", "long");

        Assert.Equal((8, ""), (late.ExitCode, late.Output));
        Assert.Contains("--timeout 1s; it goes on", late.Error, StringComparison.Ordinal);
        Assert.True(suspended.ExitCode == 0, suspended.ToString());
        Assert.Matches(@"^trainingjob.phi-orchestrator.io/long suspended\ntrainingjob.phi-orchestrator.io/long Suspended at step \d+, loss \d\.\d+\n$", suspended.Output);
        Assert.Equal((0, "trainingjob.phi-orchestrator.io/long is suspended already\n"), (twice.ExitCode, twice.Output));
        Assert.Equal("Suspended", (string?)state["status"]!["phase"]);
        Assert.True(resumed.ExitCode == 0 && resumed.Output.Contains("/long Running", StringComparison.Ordinal), resumed.ToString());
        string[] lines = [@"Gang: +2 pods × 2 cpu", "State: +Running", @"Attempt: +2: 0 charged restarts", @"Newest saved: +step \d+", "Events:", @"  long-a2-0 +\S+-\d "];
        Assert.All(lines, line => Assert.Matches($"(?m)^{line}", described.Output));
    }

    [Fact]
    public async Task SubmitWait_AJobThatEnds_TellsHowByItsExitCode()
    {
        var good = await PhiAsync("submit", Write("short", Manifests.Tiny("short", Manifests.WriteCorpus(Cluster.Work), steps: 6)), "--wait", "--timeout", "5m");
        var failing = Write("failing", """
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata: {name: failing}
            spec:
              accelerator: {type: cpu, perReplica: 1}
              container: {image: none, command: ["false"], progressFile: None}
              recovery: {maxRestarts: 0}
            """);
        var bad = await PhiAsync("submit", failing, "--wait", "--timeout", "5m", "-o", "json");
        var over = await PhiAsync("submit", failing);
        await Cluster.KubectlAsync("delete", "tj", "short", "failing");

        Assert.True(good.ExitCode == 0, good.ToString());
        Assert.Matches(@"^trainingjob.phi-orchestrator.io/short Succeeded at step 6, loss \d", good.Output);
        Assert.Equal((6, "Failed"), (bad.ExitCode, (string?)JsonNode.Parse(bad.Output)!["status"]!["phase"]));
        Assert.Contains($"phi: {Cluster.Namespace}/failing failed: ", bad.Error, StringComparison.Ordinal);
        Assert.Equal(0, over.ExitCode);
        Assert.Contains("is over (Failed) and does not run again", over.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> PhiAsync(params string[] arguments) => Cluster.PhiAsync([.. arguments, "--kubeconfig", Cluster.Kubeconfig, "--namespace", Cluster.Namespace]);

    private string Write(string name, string manifest)
    {
        var path = Path.Combine(Cluster.Work, $"{name}.yaml");
        // The namespace is the command line's.
        File.WriteAllText(path, manifest);
        return path;
    }

    private static void Edit(string path, string from, string to) => File.WriteAllText(path, File.ReadAllText(path).Replace(from, to, StringComparison.Ordinal));
}
