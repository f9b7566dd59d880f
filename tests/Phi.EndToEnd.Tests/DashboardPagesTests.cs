using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Phi.EndToEnd.Tests;

/// <summary>Every page of the dashboard, and what a person does with a curve.</summary>
[Collection(nameof(TrainedCluster))]
public sealed partial class DashboardPagesTests(TrainedCluster trained)
{
    private PhiCluster Cluster => trained.Cluster;

    private string JobPath => $"/jobs/{Cluster.Namespace}/{TrainedCluster.Job}";

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Pages_OfEveryKind_HaveNoSeriousFindingAndFitTheirWidth(int width, ColorScheme scheme)
    {
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl(), width, scheme);
        var page = browser.Page;
        foreach (var path in new[] { "/jobs", JobPath, $"{JobPath}?view=table", "/compare", "/queues", "/nodes", "/crons", "/new", $"/new?from={Cluster.Namespace}/{TrainedCluster.Job}&step=40", "/audit", "/nothing-here" })
        {
            await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), path).ToString());
            // The title is gone for a moment while the page comes to life.
            await page.WaitForFunctionAsync("() => document.querySelector('[data-live=true] h1') && document.title !== ''");
            if (path == JobPath)
            {
                await WaitForAsync(page, "points", TrainedCluster.Steps);
            }

            var findings = (await page.RunAxe()).Violations.Where(violation => violation.Impact is "serious" or "critical").Select(violation => $"{path}: {violation.Id}: {string.Join("; ", violation.Nodes.Select(node => node.Html))}").ToList();
            Assert.True(findings.Count == 0, string.Join("\n", findings));
            Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"{path} is wider than {width} px");
            if (Environment.GetEnvironmentVariable("PHI_SCREENSHOTS") is { Length: > 0 } folder)
            {
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{Unsafe().Replace(path.Trim('/'), "-")}-{width}-{scheme}.png"), FullPage = true });
            }
        }

        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Chart_ZoomedByADrag_IsTheSameForWhoeverOpensItsAddress()
    {
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        var page = browser.Page;
        await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), JobPath).ToString());
        await WaitForAsync(page, "points", TrainedCluster.Steps);
        var box = (await page.Locator(".phi-chart .u-over").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + box.Width / 4, box.Y + 40);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + box.Width / 2, box.Y + 60, new MouseMoveOptions { Steps = 5 });
        await page.Mouse.UpAsync();

        var (from, to) = await RangeAsync(page);
        Assert.InRange(from, 10, 20);
        Assert.InRange(to, 28, 34);
        await WaitForExactAsync(page, to - from + 1);

        await using var other = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        await other.Page.GotoAsync(await page.EvaluateAsync<string>("() => location.href"));
        await WaitForExactAsync(other.Page, to - from + 1);

        await page.Locator(".phi-chart-plot").PressAsync("Escape");
        await WaitForExactAsync(page, TrainedCluster.Steps);
        Assert.Equal("", await page.EvaluateAsync<string>("() => location.search"));
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Chart_ReadWithTheKeyboard_SaysTheValuesAndZooms()
    {
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        var page = browser.Page;
        await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), JobPath).ToString());
        await WaitForAsync(page, "points", TrainedCluster.Steps);
        var plot = page.Locator(".phi-chart-plot");

        await plot.PressAsync("Home");
        await plot.PressAsync("ArrowRight");
        Assert.Matches(@"^trained: \d\.\d+ at step 2$", await page.Locator(".phi-chart [aria-live]").TextContentAsync());

        await plot.PressAsync("+");
        var (from, to) = await RangeAsync(page);
        Assert.InRange(to - from, 38, 46);
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Compare_AChosenRun_IsDrawnAndStaysInTheAddress()
    {
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        var page = browser.Page;
        await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), "/compare").ToString());
        await page.Locator("[data-live=true] h1").WaitForAsync();

        await page.GetByLabel("Add").SelectOptionAsync(new SelectOptionValue { Label = $"{Cluster.Namespace}/{TrainedCluster.Job}" });
        await WaitForExactAsync(page, TrainedCluster.Steps);
        Assert.Matches("^[?]runs=[0-9a-f-]{36}$", await page.EvaluateAsync<string>("() => location.search"));

        await page.GetByRole(AriaRole.Button, new() { Name = $"Remove {Cluster.Namespace}/{TrainedCluster.Job}" }).ClickAsync();
        await page.GetByText("Choose runs here, or in the list of jobs.").WaitForAsync();
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Logs_SearchedFor_AreTheLinesThatHaveIt()
    {
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        var page = browser.Page;
        await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), JobPath).ToString());
        const string lines = "Number(document.querySelector('.phi-log-panel').dataset.lines)";
        await page.WaitForFunctionAsync($"least => {lines} >= least", TrainedCluster.Steps);

        await page.GetByLabel("Search").FillAsync($"step {TrainedCluster.Steps}/{TrainedCluster.Steps} ");

        await page.WaitForFunctionAsync($"() => {lines} === 1");
        Assert.Contains($"log=step%20{TrainedCluster.Steps}", await page.EvaluateAsync<string>("() => location.search"), StringComparison.Ordinal);
        await page.ReloadAsync();
        await page.WaitForFunctionAsync($"() => document.querySelector('.phi-log-panel') && {lines} === 1");
        Assert.Equal($"step {TrainedCluster.Steps}/{TrainedCluster.Steps} ", await page.Locator(".phi-log mark").TextContentAsync());
        Assert.Empty(browser.Problems);
    }

    [Fact]
    public async Task Page_WhoseDashboardIsKilled_LivesAgainWithTheSameAddress()
    {
        Assert.SkipWhen(PhiCluster.IsJoined, PhiCluster.NeedsOwnControlPlane);
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl());
        var page = browser.Page;
        await page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), $"{JobPath}?smooth=0.5").ToString());
        await WaitForAsync(page, "points", TrainedCluster.Steps);
        await page.EvaluateAsync("() => { window.before = true; }");

        var dashboard = Assert.Single(Phi.Chaos.ProcessTable.All(), process => process.Arguments.Contains("dashboard") && process.Arguments.Any(argument => argument.StartsWith(Cluster.Home, StringComparison.Ordinal)));
        Process.GetProcessById(dashboard.Id).Kill();

        await page.WaitForFunctionAsync("() => window.before === undefined", null, new PageWaitForFunctionOptions { Timeout = 60_000 });
        await WaitForAsync(page, "points", TrainedCluster.Steps);
        Assert.Equal("?smooth=0.5", await page.EvaluateAsync<string>("() => location.search"));
    }

    private static Task<IJSHandle> WaitForAsync(IPage page, string data, long least) =>
        page.WaitForFunctionAsync($"() => Number(document.querySelector('.phi-chart')?.dataset.{data}) >= {least.ToString(CultureInfo.InvariantCulture)}", null, new PageWaitForFunctionOptions { Timeout = 60_000 });

    private static Task<IJSHandle> WaitForExactAsync(IPage page, double points) =>
        page.WaitForFunctionAsync($"() => Number(document.querySelector('.phi-chart')?.dataset.points) === {points.ToString(CultureInfo.InvariantCulture)}", null, new PageWaitForFunctionOptions { Timeout = 60_000 });

    /// <summary>The range in the page's address, once it has one. The page is asked: it may change its address while the test looks.</summary>
    private static async Task<(double From, double To)> RangeAsync(IPage page)
    {
        await page.WaitForFunctionAsync("() => /[?&]from=.*to=/.test(location.search)");
        var address = await page.EvaluateAsync<string>("() => location.search");
        return (Given(address, "from"), Given(address, "to"));
    }

    private static double Given(string url, string name) => double.Parse(Regex.Match(url, $"[?&]{name}=([0-9.]+)").Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex("[^a-z0-9-]+")]
    private static partial Regex Unsafe();
}
