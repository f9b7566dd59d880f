using System.Diagnostics;
using System.Globalization;
using Microsoft.Playwright;

namespace Phi.EndToEnd.Tests;

/// <summary>The dashboard in Debian's Chromium while a job trains.</summary>
public sealed class DashboardTests : IAsyncLifetime
{
    private const int Steps = 600;
    private PhiCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await PhiCluster.StartAsync();

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task LossCurve_WhileAJobTrains_GrowsAndMarksARestart()
    {
        await _cluster.ApplyAsync(Manifests.Tiny("curve", Manifests.WriteCorpus(_cluster.Work), Steps, everySteps: 20));
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await BrowserPage.LaunchAsync(playwright);
        var page = await browser.NewPageAsync();
        var foreign = new List<string>();
        var problems = new List<string>();
        var root = new Uri(_cluster.DashboardUrl());
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" } url && url.Authority != root.Authority)
            {
                foreign.Add(request.Url);
            }
        };
        page.PageError += (_, error) => problems.Add(error);

        await page.GotoAsync(root.ToString());
        await page.GetByRole(AriaRole.Link, new() { Name = $"{_cluster.Namespace}/curve" }).ClickAsync();
        var chart = page.Locator(".phi-chart");
        await WaitForAsync(page, "points", 5);
        Assert.Equal(1, await chart.Locator("canvas").CountAsync());
        var before = await PointsAsync(chart);
        await WaitForAsync(page, "points", before + 20);

        var rank = TrainingProcesses.Of(_cluster.Home).Where(process => process.IsRank).MaxBy(process => process.Id)!;
        Process.GetProcessById(rank.Id).Kill();
        await WaitForAsync(page, "attempts", 2);
        await _cluster.WaitForSuccessAsync("curve");
        await WaitForAsync(page, "lastStep", Steps);
        await page.Locator("[data-state=Succeeded]").WaitForAsync();
        await page.Locator("[data-recovery='1'] [data-stage='rendezvous']").WaitForAsync();
        Assert.Equal(2, await page.Locator("table[aria-label=Pods] tbody tr, [aria-label=Pods] tbody tr").CountAsync());
        Assert.NotEqual(0, await page.Locator("[aria-label=Checkpoints] tbody tr").CountAsync());
        Assert.Matches("bytes across nodes (than|as) 16-bit ZeRO-3", await page.Locator("[data-traffic=saving]").TextContentAsync());
        Assert.Equal(1, await page.Locator("[data-collective=all-gather]").CountAsync());
        if (Environment.GetEnvironmentVariable("PHI_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, "job.png"), FullPage = true });
            await page.SetViewportSizeAsync(390, 844);
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, "job-390.png"), FullPage = true });
            await page.GotoAsync(root.ToString());
            await page.GetByRole(AriaRole.Link, new() { Name = $"{_cluster.Namespace}/curve" }).WaitForAsync();
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, "jobs-390.png"), FullPage = true });
        }

        Assert.Empty(foreign);
        Assert.Empty(problems);
    }

    [Fact]
    public async Task Pages_WithoutTheToken_AreRefused()
    {
        using var http = new HttpClient();
        var root = new Uri(_cluster.DashboardUrl());

        var response = await http.GetAsync(new Uri(root, "/"), TestContext.Current.CancellationToken);
        var series = await http.GetAsync(new Uri(root, "/api/v1/series?run=x"), TestContext.Current.CancellationToken);

        Assert.Equal(401, (int)response.StatusCode);
        Assert.Equal(401, (int)series.StatusCode);
    }

    [Fact]
    public async Task Link_ClickedWhileThePageComesToLife_LeadsOn()
    {
        const int Opens = 12;
        await _cluster.ApplyAsync(Manifests.Tiny("waiting", Manifests.WriteCorpus(_cluster.Work)).Replace("spec:\n  replicas", "spec:\n  suspend: true\n  replicas", StringComparison.Ordinal));
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await BrowserPage.LaunchAsync(playwright);
        for (var open = 0; open < Opens; open++)
        {
            await using var context = await browser.NewContextAsync();
            var page = await context.NewPageAsync();
            var connected = new TaskCompletionSource();
            page.WebSocket += (_, _) => connected.TrySetResult();
            await page.GotoAsync(_cluster.DashboardUrl(), new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
            var link = page.GetByRole(AriaRole.Link, new() { Name = $"{_cluster.Namespace}/waiting" });
            await link.WaitForAsync();
            if (open % 2 == 1)
            {
                // The moment between the page and its connection: scripts are there, the circuit is not.
                await connected.Task;
            }

            await link.ClickAsync();
            await page.GetByRole(AriaRole.Heading, new() { Name = $"{_cluster.Namespace}/waiting" }).WaitForAsync();
        }
    }

    private static Task<IJSHandle> WaitForAsync(IPage page, string data, long least) =>
        page.WaitForFunctionAsync($"() => Number(document.querySelector('.phi-chart')?.dataset.{data}) >= {least.ToString(CultureInfo.InvariantCulture)}", null, new PageWaitForFunctionOptions { Timeout = 120_000 });

    private static async Task<long> PointsAsync(ILocator chart) => long.Parse((await chart.GetAttributeAsync("data-points"))!, CultureInfo.InvariantCulture);
}
