using System.Diagnostics;

namespace Phi.EndToEnd.Tests;

/// <summary>Every interruption ends in the losses of the undisturbed run, bit for bit.</summary>
public sealed class InterruptionTests : IAsyncLifetime
{
    private const int Steps = 600;
    private PhiCluster _cluster = null!;
    private string _corpus = null!;

    public async ValueTask InitializeAsync()
    {
        _cluster = await PhiCluster.StartAsync();
        _corpus = Manifests.WriteCorpus(_cluster.Work);
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task Losses_AfterEveryKindOfInterruption_EqualTheUninterruptedRun()
    {
        var expected = await RunAsync("plain", _ => Task.CompletedTask);

        Losses.AssertEqual(expected, await RunAsync("rank-killed", KillARankAsync), Steps);
        Losses.AssertEqual(expected, await RunAsync("pod-deleted", DeleteAPodAsync), Steps);
        // A browser takes longer to start than the job to train.
        await using (var browser = await BrowserPage.OpenAsync(_cluster.DashboardUrl()))
        {
            Losses.AssertEqual(expected, await RunAsync("node-drained", name => DrainANodeAsync(name, browser)), Steps);
        }

        Losses.AssertEqual(expected, await RunAsync("operator-killed", KillTheOperatorAsync), Steps);
        Losses.AssertEqual(expected, await RunAsync("pod-killed", KillAPodAsync, checkpoint: "everySteps: 1000000, inMemory: { everySteps: 5 }"), Steps);
        if (!PhiCluster.IsJoined)
        {
            // Only of a control plane of its own.
            Losses.AssertEqual(expected, await RunAsync("down-and-up", DownAndUpAsync), Steps);
        }
    }

    [Fact]
    public async Task Losses_WithZeroPlusPlus_EqualTheUninterruptedRun()
    {
        const string ZeroPlusPlus = "zero: { quantizedWeights: {}, hierarchicalPartitioning: {}, quantizedGradients: { intraBits: 4, errorFeedback: true } }";
        var expected = await RunAsync("plain", _ => Task.CompletedTask, ZeroPlusPlus);

        Losses.AssertEqual(expected, await RunAsync("rank-killed", KillARankAsync, ZeroPlusPlus), Steps);
    }

    private async Task<SortedDictionary<long, double>> RunAsync(string name, Func<string, Task> interrupt, string zero = "zero: {}", string checkpoint = "everySteps: 20")
    {
        await _cluster.ApplyAsync(Manifests.Tiny(name, _corpus, Steps, everySteps: 20).Replace("everySteps: 20", checkpoint, StringComparison.Ordinal) + $"\n  {zero}\n");
        await _cluster.WaitForStepAsync(name, 30);
        await interrupt(name);
        var job = await _cluster.WaitForSuccessAsync(name);
        var losses = await Losses.EffectiveAsync(Path.Combine(_cluster.Home, "telemetry.db"), (string)job["metadata"]!["uid"]!);
        var missing = Enumerable.Range(1, Steps).Select(step => (long)step).Except(losses.Keys).ToList();
        Assert.True(missing.Count == 0, missing.Count == 0 ? "" : $"{name}: no loss of steps {string.Join(", ", missing)}\n{(await _cluster.KubectlAsync("logs", $"{name}-0")).Output}\n{await _cluster.EvidenceAsync()}");
        var deleted = await _cluster.KubectlAsync("delete", "tj", name, "--wait=true");
        Assert.True(deleted.ExitCode == 0, deleted.ToString());
        Assert.Empty(TrainingProcesses.Of(_cluster.Home));
        Assert.Equal("", (await _cluster.KubectlAsync("get", "pods,services", "-o", "name")).Output);
        return losses;
    }

    private async Task KillARankAsync(string name)
    {
        TrainingProcesses.KillARank(_cluster.Home);
        var job = await _cluster.WaitForAsync(name, job => (int?)job["status"]?["attempt"] == 2, "second attempt");
        Assert.Equal(1, (int?)job["status"]!["restarts"]);
    }

    /// <summary>Nothing is committed before the last step: what the job goes on from is in the memory of the pod that is left.</summary>
    private async Task KillAPodAsync(string name)
    {
        var uid = (await _cluster.KubectlAsync("get", "pod", $"{name}-0", "-o", "jsonpath={.metadata.uid}")).Output;
        await _cluster.WaitForAsync(name, _ => IsCopied($"/dev/shm/phi-pod-{uid}/replicas"), "copies in memory");
        var agent = TrainingProcesses.Of(_cluster.Home, $"PHI_POD_NAME={name}-1").Single(p => !p.IsRank);
        Process.GetProcessById(agent.Id).Kill();
        var job = await _cluster.WaitForAsync(name, job => (int?)job["status"]?["attempt"] == 2 && (string?)job["status"]?["phase"] == "Running", "second attempt");
        Assert.Null((long?)job["status"]!["checkpoint"]?["step"]);
        var interruption = job["status"]!["interruptions"]![0]!;
        Assert.True((long?)interruption["resumeStep"] > 0, interruption.ToJsonString());
        Assert.Equal((long)interruption["step"]! - (long)interruption["resumeStep"]!, (long)interruption["lostSteps"]!);
        var log = await _cluster.KubectlAsync("logs", $"{name}-0");
        Assert.Contains($"attempt 2: training from step {interruption["resumeStep"]}, copied from the gang's memory", log.Output, StringComparison.Ordinal);
    }

    /// <summary>All four shards of a step are in a pod's memory.</summary>
    private static bool IsCopied(string memory)
    {
        try
        {
            return Directory.EnumerateDirectories(memory, "step-*").Any(step => Directory.EnumerateFiles(step, "*.part.json").Count() == 4);
        }
        catch (DirectoryNotFoundException)
        {
            // Before the first, or an older one that is being removed.
            return false;
        }
    }

    private async Task DeleteAPodAsync(string name)
    {
        var result = await _cluster.KubectlAsync("delete", "pod", $"{name}-1");
        Assert.True(result.ExitCode == 0, result.ToString());
        var job = await _cluster.WaitForAsync(name, job => (int?)job["status"]?["attempt"] == 2, "second attempt");
        Assert.Equal(0, (int?)job["status"]!["restarts"] ?? 0);
    }

    /// <summary>The pods of the node save, leave, and go on on the other one; not a step is lost. An open page shows it as it happens.</summary>
    private async Task DrainANodeAsync(string name, BrowserPage browser)
    {
        await browser.Page.GotoAsync(new Uri(new Uri(_cluster.DashboardUrl()), $"/jobs/{_cluster.Namespace}/{name}").ToString());
        await browser.Page.Locator("[data-live=true] h1").WaitForAsync();
        var node = (string)(await _cluster.JobAsync(name))["status"]!["placement"]![0]!["node"]!;
        var drained = await _cluster.KubectlAsync("drain", node, "--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s");
        Assert.True(drained.ExitCode == 0, drained.ToString());
        var job = await _cluster.WaitForAsync(name, job => (int?)job["status"]?["attempt"] == 2, "second attempt");
        Assert.Equal(0, (int?)job["status"]!["restarts"] ?? 0);
        job = await _cluster.WaitForAsync(name, job => (string?)job["status"]?["phase"] == "Running" && (int?)job["status"]?["readyReplicas"] == 2, "two running pods");
        // Pods may be gone before the operator reads their last word; what was lost is certain once the next attempt has found where it goes on.
        Assert.Equal(0, (long?)job["status"]!["interruptions"]![0]!["lostSteps"]);
        Assert.All(job["status"]!["placement"]!.AsArray(), place => Assert.NotEqual(node, (string)place!["node"]!));
        var recovery = browser.Page.Locator("[data-recovery='1']");
        await recovery.Locator("[data-stage=restore]").WaitForAsync();
        await Microsoft.Playwright.Assertions.Expect(recovery).ToContainTextAsync("drain");
        var uncordoned = await _cluster.KubectlAsync("uncordon", node);
        Assert.True(uncordoned.ExitCode == 0, uncordoned.ToString());
    }

    private async Task KillTheOperatorAsync(string name)
    {
        var before = TrainingProcesses.Of(_cluster.Home).Where(p => p.IsRank).Select(p => p.Id).ToHashSet();
        await _cluster.ReplaceTheOperatorAsync();

        var job = await _cluster.WaitForStepAsync(name, 60);
        Assert.Equal(1, (int?)job["status"]!["attempt"]);
        Assert.Subset(before, TrainingProcesses.Of(_cluster.Home).Where(p => p.IsRank).Select(p => p.Id).ToHashSet());
    }

    private async Task DownAndUpAsync(string name)
    {
        var down = await _cluster.DownAsync();
        Assert.True(down.ExitCode == 0, down.ToString());
        Assert.Empty(TrainingProcesses.Of(_cluster.Home));
        var up = await _cluster.UpAsync();
        Assert.True(up.ExitCode == 0, up.ToString());
        await _cluster.WaitForAsync(name, job => (int?)job["status"]?["attempt"] >= 2, "second attempt");
    }
}
