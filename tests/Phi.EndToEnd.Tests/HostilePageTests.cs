namespace Phi.EndToEnd.Tests;

/// <summary>What a job says is text on every page, whatever it looks like.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class HostilePageTests(TrainedCluster trained)
{
    private const string Hostile = "<img src=hostile onerror=window.hostile=1><script>window.hostile=1</script>";

    private PhiCluster Cluster => trained.Cluster;

    [Fact]
    public async Task Pages_OfAJobThatSaysMarkup_ShowItAsText()
    {
        await Cluster.ApplyAsync($$$"""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata: {name: hostile, annotations: {note: "{{{Hostile}}}"}}
            spec:
              replicas: 1
              accelerator: {type: cpu, perReplica: 1}
              container: {image: "{{{Hostile}}}", command: [bash, -c, "echo '{{{Hostile}}}'; echo '{{{Hostile}}}' > /dev/stderr; echo '{\"step\": 1, \"loss\": 1, \"checkpoint\": \"javascript:window.hostile=1\"}' >> $PHI_PROGRESS_FILE; exit 3"]}
              recovery: {maxRestarts: 0}
            ---
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata: {name: hostile-queue}
            spec:
              queue: "{{{Hostile}}}"
              accelerator: {type: cpu, perReplica: 1}
              container: {image: any, command: ["true"]}
            """);
        Assert.Equal(0, (await Cluster.KubectlAsync("wait", "tj/hostile", "--for=condition=Finished", "--timeout=120s")).ExitCode);
        await Cluster.WaitForAsync("hostile-queue", job => job["status"]?["conditions"]?.ToJsonString().Contains("hostile", StringComparison.Ordinal) == true, "word of the queue that is not there");
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        var page = browser.Page;

        var job = $"/jobs/{Cluster.Namespace}/hostile";
        foreach (var path in new[] { "/jobs", job, $"{job}-queue", $"/jobs?q={Uri.EscapeDataString(Hostile)}", $"/new?from={Cluster.Namespace}/hostile", "/queues", $"/{Uri.EscapeDataString(Hostile)}" })
        {
            await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), path).ToString());
            await page.Locator("[data-live=true] h1").WaitForAsync();
            if (path == job)
            {
                await page.WaitForFunctionAsync("() => document.querySelector('.phi-log')?.textContent.includes('<img src=hostile')");
            }

            Assert.True(await page.EvaluateAsync<bool>("() => window.hostile === undefined && !document.querySelector('img[src=hostile]') && ![...document.links].some(link => link.protocol === 'javascript:')"), path);
        }

        // Nor did anything try: the page's security policy would have stopped it, and said so.
        Assert.Empty(browser.Problems);
        await Cluster.KubectlAsync("delete", "tj", "hostile", "hostile-queue");
    }
}
