using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace Phi.EndToEnd.Tests;

/// <summary>What a person does about jobs and checkpoints on the dashboard, seen by kubectl and the command line.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class DashboardActionTests(TrainedCluster trained)
{
    private const int From = 40;

    /// <summary>Column of the list of cron jobs.</summary>
    private const int LastSuccess = 4;

    private PhiCluster Cluster => trained.Cluster;

    private string JobPath => $"/jobs/{Cluster.Namespace}/{TrainedCluster.Job}";

    [Fact]
    public async Task Checkpoint_ThatAJobBeginsWith_IsShownAsADifferenceAndTrainedOn()
    {
        await using var browser = await OpenAsync(JobPath);
        var page = browser.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = $"Begin a job with step {From}", Exact = true }).ClickAsync();
        await AcceptedAsync(page);
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = $"Difference from {Cluster.Namespace}/{TrainedCluster.Job}" })).ToContainTextAsync($"+         step: {From}");

        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await page.GetByRole(AriaRole.Heading, new() { Name = $"{Cluster.Namespace}/{TrainedCluster.Job}-2" }).WaitForAsync();
        await page.Locator("[data-action=submit][data-outcome=Allowed]").WaitForAsync();
        await Cluster.WaitForSuccessAsync($"{TrainedCluster.Job}-2");
        await page.WaitForFunctionAsync($"() => Number(document.querySelector('.phi-chart')?.dataset.lastStep) === {TrainedCluster.Steps}");
        Assert.Equal(TrainedCluster.Steps - From, int.Parse((await page.Locator(".phi-chart").GetAttributeAsync("data-points"))!, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Empty(browser.Problems);
        await DeleteAsync($"{TrainedCluster.Job}-2");
    }

    [Fact]
    public async Task Manifest_ThatWouldBeRefused_IsToldWhyAndCannotBeSubmitted()
    {
        await using var browser = await OpenAsync("/new?queue=pages");
        var page = browser.Page;
        await AcceptedAsync(page);
        await page.Locator("[data-outcome=Admitted]").WaitForAsync();
        var editor = page.GetByRole(AriaRole.Textbox, new() { Name = "Manifest" });
        var good = await editor.InputValueAsync();

        await editor.FillAsync(good.Replace("replicas: 2", "replicas: 0", StringComparison.Ordinal));
        await page.Locator("[data-check=bad] li").Filter(new() { HasText = "spec.replicas" }).WaitForAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Submit" })).ToBeDisabledAsync();

        await editor.FillAsync(good.Replace("replicas:", "replikas:", StringComparison.Ordinal));
        await page.Locator("[data-check=bad] li").Filter(new() { HasText = "replikas" }).WaitForAsync();

        // What was typed is there again after the page was loaded again.
        await page.ReloadAsync();
        await page.Locator("[data-check=bad] li").Filter(new() { HasText = "replikas" }).WaitForAsync();
        Assert.Contains("replikas", await editor.InputValueAsync(), StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Button, new() { Name = "Start over" }).ClickAsync();
        await AcceptedAsync(page);
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Checkpoint_PinnedAndVerified_IsSoForTheCommandLineToo()
    {
        await using var browser = await OpenAsync(JobPath);
        var page = browser.Page;
        var row = page.Locator($"[data-checkpoint='{From}']");

        await row.GetByRole(AriaRole.Button, new() { Name = $"Pin step {From}", Exact = true }).ClickAsync();
        await page.Locator($"[data-checkpoint='{From}'][data-pinned=true]").WaitForAsync();
        await row.GetByRole(AriaRole.Button, new() { Name = $"Verify step {From}", Exact = true }).ClickAsync();
        await row.GetByText("verified", new() { Exact = true }).WaitForAsync();

        Assert.Equal("token", (string?)(await ListedAsync())["pin"]?["who"]);
        Assert.Equal(1, await page.Locator("[data-action=pin][data-outcome=Allowed]").CountAsync());
        await row.GetByRole(AriaRole.Button, new() { Name = $"Unpin step {From}", Exact = true }).ClickAsync();
        await page.Locator($"[data-checkpoint='{From}']:not([data-pinned])").WaitForAsync();
        Assert.Null((await ListedAsync())["pin"]);
        Assert.Empty(browser.Problems);

        async Task<JsonNode> ListedAsync()
        {
            var listed = await Cluster.PhiAsync("checkpoint", "ls", $"job/{TrainedCluster.Job}@{From}", "--namespace", Cluster.Namespace, "--kubeconfig", Cluster.Kubeconfig, "--output", "json");
            Assert.True(listed.ExitCode == 0, listed.ToString());
            return JsonNode.Parse(listed.Output)!["checkpoints"]![0]!;
        }
    }

    [Fact]
    public async Task Jobs_ChosenInTheList_AreSuspendedResumedAndDeletedTogether()
    {
        string[] names = ["bulk-a", "bulk-b"];
        foreach (var name in names)
        {
            await Cluster.ApplyAsync(Manifests.Tiny(name, Manifests.WriteCorpus(Cluster.Work), steps: 100_000).Replace("replicas: 2", "replicas: 1", StringComparison.Ordinal).Replace("perReplica: 2", "perReplica: 1", StringComparison.Ordinal));
            await Cluster.WaitForStepAsync(name, 1);
        }

        await using var browser = await OpenAsync("/jobs?q=bulk-");
        var page = browser.Page;
        await ChooseAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Suspend" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Suspend" }).ClickAsync();
        await PhaseAsync("Suspended");

        await ChooseAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await PhaseAsync("Running");

        await ChooseAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        Assert.Equal(2, await page.Locator("[data-job^=bulk-]").CountAsync());
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Assertions.Expect(page.Locator("[data-job^=bulk-]")).ToHaveCountAsync(0, new() { Timeout = 120_000 });
        Assert.Empty(browser.Problems);

        await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), "/audit").ToString());
        await Assertions.Expect(page.Locator("[data-action=delete][data-outcome=Allowed]")).ToHaveCountAsync(2);

        async Task ChooseAsync()
        {
            foreach (var name in names)
            {
                await page.GetByRole(AriaRole.Checkbox, new() { Name = $"Choose {Cluster.Namespace}/{name}" }).CheckAsync();
            }
        }

        async Task PhaseAsync(string phase)
        {
            foreach (var name in names)
            {
                await Cluster.WaitForAsync(name, job => (string?)job["status"]?["phase"] == phase, phase);
                await page.Locator($"[data-job={name}] [data-state={phase}]").WaitForAsync();
            }
        }
    }

    [Fact]
    public async Task Schedule_ThatIsResumed_RunsWhatWasDueAndKeepsNoneOfIt()
    {
        await Cluster.ApplyAsync("""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: CronTrainingJob
            metadata: {name: yearly}
            spec:
              schedule: "@yearly"
              suspend: true
              successfulJobsHistoryLimit: 0
              jobTemplate:
                spec:
                  replicas: 1
                  accelerator: {type: cpu, perReplica: 1}
                  zero: {stage: 2}
                  container: {image: "python:3", command: [sh, -c, 'grep zero_optimization "$PHI_DEEPSPEED_CONFIG"']}
            """);
        var late = await Cluster.KubectlAsync("patch", "ctj", "yearly", "--subresource=status", "--type=merge", "-p", """{"status":{"lastScheduleTime":"2020-01-01T00:00:00Z"}}""");
        Assert.True(late.ExitCode == 0, late.ToString());
        await using var browser = await OpenAsync("/crons");
        var page = browser.Page;
        var row = page.Locator("[data-cron=yearly]");

        await row.GetByRole(AriaRole.Button, new() { Name = "Resume yearly", Exact = true }).ClickAsync();

        await row.GetByRole(AriaRole.Button, new() { Name = "Suspend yearly", Exact = true }).WaitForAsync();
        await Assertions.Expect(row.GetByRole(AriaRole.Cell).Nth(LastSuccess)).ToContainTextAsync("ago", new() { Timeout = 120_000 });
        Assert.Empty(browser.Problems);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await Cluster.KubectlAsync("get", "tj", "--selector", "phi-orchestrator.io/cron-name=yearly", "-o", "name")).Output.Length > 0)
        {
            Assert.False(deadline.IsCancellationRequested, "its job is kept, though none of its history is");
            await Task.Yield();
        }

        Assert.Equal(0, (await Cluster.KubectlAsync("delete", "ctj", "yearly", "--wait=true")).ExitCode);
    }

    /// <summary>Returns once the manifest on the page has been checked and would be taken.</summary>
    private async Task AcceptedAsync(IPage page)
    {
        try
        {
            await page.Locator("[data-check=good]").WaitForAsync(new() { Timeout = 60_000 });
        }
        catch (TimeoutException e)
        {
            Assert.Fail($"{e.Message}\n{page.Url}\n{await page.Locator("body").InnerTextAsync()}\n{await Cluster.EvidenceAsync()}");
        }
    }

    private async Task<BrowserPage> OpenAsync(string path)
    {
        var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        await browser.Page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), path).ToString());
        await browser.Page.Locator("[data-live=true] h1").WaitForAsync();
        return browser;
    }

    private async Task DeleteAsync(string job)
    {
        var deleted = await Cluster.KubectlAsync("delete", "tj", job, "--wait=true");
        Assert.True(deleted.ExitCode == 0, deleted.ToString());
    }
}
