using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Components.Controls;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Tests;

/// <summary>The job page's section on evaluation, with a store of its own.</summary>
public sealed class EvaluationPanelTests : IAsyncLifetime
{
    private const string Run = "11111111-2222-3333-4444-555555555555";
    private const string Hostile = "<img src=hostile onerror=window.hostile=1><script>window.hostile=1</script>";
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddHours(1);
    private readonly string _folder = Directory.CreateTempSubdirectory("phi evaluation ").FullName;
    private readonly BunitContext _context = new();
    private TelemetryStore _store = null!;

    private static CancellationToken Ct => Xunit.TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await TelemetryStore.OpenAsync(Path.Combine(_folder, "telemetry.db"), TimeProvider.System, Ct);
        _context.JSInterop.Mode = JSRuntimeMode.Loose;
        _context.Services.AddMudServices();
        _context.Services.AddSingleton(_store);
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Render_WithoutEvaluation_SaysHowToSwitchItOn()
    {
        var panel = await RenderAsync(null);

        Assert.Contains("evaluation:", panel.Find("pre").TextContent, StringComparison.Ordinal);
        Assert.Contains("name: humaneval", panel.Find("pre").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_BeforeTheFirst_SaysWhatIsToCome()
    {
        var panel = await RenderAsync(new EvaluationSpec { EveryCheckpoints = 4, Suites = [new EvaluationSuiteSpec { Name = "mbpp" }] });

        Assert.Equal("No checkpoint has been evaluated yet. Every 4 checkpoints one is to be, and the last, with mbpp.", panel.Find("[data-evaluation=waiting]").TextContent);
    }

    [Fact]
    public async Task Render_Evaluations_ShowsScoresReasonsAndTheNewestsProblems()
    {
        await FillAsync();

        var panel = await RenderAsync(null);

        Assert.Equal(["40 humaneval", "20 humaneval", "10 humaneval"], panel.FindAll("tr[data-evaluation]").Select(row => row.GetAttribute("data-evaluation")));
        Assert.Contains("not evaluated: the kernel gives no namespaces", panel.Find("tr[data-evaluation='40 humaneval']").TextContent, StringComparison.Ordinal);
        Assert.Contains("50.0 %", panel.Find("tr[data-evaluation='20 humaneval']").TextContent, StringComparison.Ordinal);
        Assert.Contains("humaneval at step 20", panel.Markup, StringComparison.Ordinal);
        Assert.Equal(["HumanEval/0", "HumanEval/1"], panel.FindAll("tr[data-problem] button").Select(button => button.TextContent));
        Assert.Contains("1 of 2 problems solved", panel.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Address_WithStepFilterAndProblem_ShowsThatAsText()
    {
        await FillAsync();
        var panel = await RenderAsync(null, "?eval=10&suite=humaneval&failing=1&problem=1");

        Assert.Contains("humaneval at step 10", panel.Markup, StringComparison.Ordinal);
        Assert.Equal("HumanEval/1", Assert.Single(panel.FindAll("tr[data-problem] button")).TextContent);
        Assert.Equal([$"{Hostile} prompt 1", Hostile, Hostile], panel.FindAll("[data-detail='1'] pre").Select(text => text.TextContent));
        Assert.Empty(panel.FindAll("img, script"));
        Assert.Contains("3 more characters are not kept", panel.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Choosing_AProblem_IsInTheAddress()
    {
        await FillAsync();
        var panel = await RenderAsync(null);

        panel.FindAll("tr[data-problem] button")[1].Click();
        await panel.WaitForAssertionAsync(() => Assert.NotNull(panel.Find("[data-detail='1']")));

        Assert.EndsWith("?eval=20&suite=humaneval&problem=1", _context.Services.GetRequiredService<Microsoft.AspNetCore.Components.NavigationManager>().Uri, StringComparison.Ordinal);
    }

    private async Task<IRenderedComponent<EvaluationPanel>> RenderAsync(EvaluationSpec? evaluation, string query = "")
    {
        _context.Services.GetRequiredService<Microsoft.AspNetCore.Components.NavigationManager>().NavigateTo($"/jobs/default/job{query}");
        var evaluations = await _store.EvaluationsAsync(Run, Ct);
        return _context.Render<EvaluationPanel>(panel => panel.Add(one => one.Run, Run).Add(one => one.Spec, new TrainingJobSpec { Phi = new PhiSpec { Evaluation = evaluation } }).Add(one => one.Evaluations, evaluations).Add(one => one.Now, Now));
    }

    private async Task FillAsync()
    {
        foreach (var step in new[] { 10L, 20L })
        {
            await _store.IngestAsync(
                Batch() with
                {
                    Problems = [.. new[] { true, false }.Select((passed, number) => Problem(step, number, passed))],
                    Evaluations = [Evaluation(step) with { Problems = 2, Samples = 1, Passed = 1, PassAt = new Dictionary<int, double> { [1] = 0.5 } }],
                }, Ct);
        }

        await _store.IngestAsync(Batch() with { Evaluations = [Evaluation(40) with { Reason = EvaluationEvent.SandboxRefused, Message = "the kernel gives no namespaces" }] }, Ct);
    }

    private static EventBatch Batch() => new() { Namespace = "default", Job = "job", JobUid = Run, Attempt = 1 };

    private static EvaluationEvent Evaluation(long step) => new() { Step = step, Suite = "humaneval", Time = Now, Committed = Now };

    private static EvaluatedProblem Problem(long step, int number, bool passed) => new()
    {
        Step = step, Suite = "humaneval", Number = number, Name = $"HumanEval/{number}", Prompt = $"{Hostile} prompt {number}", Samples = 1, Passed = passed ? 1 : 0,
        Shown = [new EvaluatedSample(0, passed ? EvaluatedSample.Passed : "Failed", Hostile, Hostile) { OutputCut = 3 }],
    };
}
