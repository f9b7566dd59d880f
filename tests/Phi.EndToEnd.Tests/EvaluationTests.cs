using System.Text.Json;
using System.Text.Json.Nodes;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Phi.EndToEnd.Tests;

/// <summary>A job whose checkpoints are evaluated beside training: what comes of it in its status, its events, the store and its page.</summary>
[Collection(nameof(TrainedCluster))]
public sealed class EvaluationTests(TrainedCluster trained)
{
    private const string Job = "evaluated";
    private const string Hostile = "<img src=hostile onerror=window.hostile=1>";
    private const int Steps = 40;

    private PhiCluster Cluster => trained.Cluster;

    [Fact]
    public async Task Job_WithEvaluation_HasItsScoreAndProblemsInTheStoreAndOnItsPage()
    {
        var job = await EvaluateAsync();
        Assert.Equal(0.5, (double)job["status"]!["evaluation"]!["passAt1"]!);
        Assert.Contains("mbpp: ", (string)job["status"]!["evaluation"]!["notEvaluated"]!, StringComparison.Ordinal);
        Assert.Equal(1, (int)job["status"]!["attempt"]!);
        await Cluster.WaitForEventAsync(Job, "Evaluated: ", $"step {Steps}", "humaneval pass@1 0.500, 1 of 2 programs passed");
        await Cluster.WaitForEventAsync(Job, "NotEvaluated: ", "no such $(file)", "is not tried again");

        await using (var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl()))
        {
            var page = await OpenAsync(browser, "");
            await page.WaitForFunctionAsync("() => Number(document.querySelector('.phi-chart[data-metric=humaneval_pass_at_1]')?.dataset.lastStep) === 40");
            Assert.Contains("50.0 %", await page.Locator($"[data-evaluation='{Steps} humaneval']").TextContentAsync(), StringComparison.Ordinal);
            Assert.Contains("not evaluated", await page.Locator($"[data-evaluation='{Steps} mbpp']").TextContentAsync(), StringComparison.Ordinal);
            await page.GetByLabel("only failing").CheckAsync();
            await page.GetByRole(AriaRole.Button, new() { Name = "Test/1" }).ClickAsync();
            Assert.Contains(Hostile, await page.Locator("[data-detail='1'] pre").First.TextContentAsync(), StringComparison.Ordinal);
            Assert.Equal(1, await page.Locator("[data-problem]").CountAsync());
            Assert.Equal($"?eval={Steps}&suite=humaneval&failing=1&problem=1", await page.EvaluateAsync<string>("() => location.search"));
            Assert.True(await page.EvaluateAsync<bool>("() => window.hostile === undefined && !document.querySelector('img[src=hostile]')"));
            Assert.Empty(browser.Problems);
        }
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Page_OfAnEvaluatedJob_HasNoSeriousFindingAndFitsItsWidth(int width, ColorScheme scheme)
    {
        await EvaluateAsync();
        await using var browser = await BrowserPage.OpenAsync(Cluster.DashboardUrl(), width, scheme);
        var page = await OpenAsync(browser, "?problem=1");
        await page.Locator("[data-detail='1']").WaitForAsync();

        var findings = (await page.RunAxe()).Violations.Where(violation => violation.Impact is "serious" or "critical").Select(violation => $"{violation.Id}: {string.Join("; ", violation.Nodes.Select(node => node.Html))}").ToList();

        Assert.True(findings.Count == 0, string.Join("\n", findings));
        Assert.True(await page.EvaluateAsync<bool>("() => document.documentElement.scrollWidth <= innerWidth"), $"wider than {width} px");
        if (Environment.GetEnvironmentVariable("PHI_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"evaluation-{width}-{scheme}.png"), FullPage = true });
        }
    }

    /// <summary>The job, trained and evaluated: by the first test that asks for it.</summary>
    private async Task<JsonNode> EvaluateAsync()
    {
        var suite = WriteSuite();
        await Cluster.ApplyAsync(Manifests.Tiny(Job, Manifests.WriteCorpus(Cluster.Work), Steps, everySteps: 20).Replace("    seed: 7\n", $$"""
                seed: 7
                evaluation:
                  suites:
                  - {name: humaneval, file: "{{suite}}"}
                  - {name: mbpp, file: "{{Cluster.Work}}/no such $(file)"}
                  maxTokens: 6
            """ + "\n", StringComparison.Ordinal));
        await Cluster.WaitForSuccessAsync(Job);
        return await Cluster.WaitForAsync(
            Job, job => job["status"]?["evaluation"] is { } evaluation && (long?)evaluation["step"] == Steps && evaluation["notEvaluated"] is not null && evaluation["passAt1"] is not null, "evaluation of the last checkpoint");
    }

    private async Task<IPage> OpenAsync(BrowserPage browser, string query)
    {
        await browser.Page.GotoAsync(new Uri(new Uri(Cluster.DashboardUrl()), $"/jobs/{Cluster.Namespace}/{Job}{query}").ToString());
        await browser.Page.Locator("[data-live=true] h1").WaitForAsync();
        return browser.Page;
    }

    /// <summary>Of the first problem any completion is a comment; of the second one it is what the function returns.</summary>
    private string WriteSuite()
    {
        var path = Path.Combine(Cluster.Work, "suite of $(two).jsonl");
        File.WriteAllLines(path, new[]
        {
            Problem(0, "def f():\n    return 1\n#", " one", 1),
            Problem(1, $"# {Hostile}\ndef f():\n    return ", "2", 2),
        });
        return path;

        static string Problem(int number, string prompt, string solution, int value) => JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["task_id"] = $"Test/{number}",
            ["prompt"] = prompt,
            ["entry_point"] = "f",
            ["canonical_solution"] = solution,
            ["test"] = $"def check(candidate):\n    assert candidate() == {value}\n",
        });
    }
}
