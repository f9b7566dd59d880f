using Bunit;
using Phi.Dashboard.Components.Controls;
using Phi.Telemetry.Story;

namespace Phi.Dashboard.Tests;

public sealed class RecoveryLaneTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly BunitContext _context = new();

    public void Dispose() => _context.Dispose();

    [Fact]
    public void Render_NoRecovery_SaysSo() => Assert.Contains("No attempt has been interrupted.", Render().Markup, StringComparison.Ordinal);

    [Fact]
    public void Render_TwoRecoveries_HasABarOfEachWithItsStagesAndWords()
    {
        var page = Render(Recovered(1, 30, true, (RecoveryStage.Detect, 0, 5), (RecoveryStage.Start, 5, 20)), Recovered(2, 100, false, (RecoveryStage.Queue, 0, 10)));

        Assert.Equal(["2", "1"], page.FindAll("[data-recovery]").Select(bar => bar.GetAttribute("data-recovery")));
        var first = page.Find("[data-recovery='1']");
        Assert.Equal(["detect", "start"], first.QuerySelectorAll("[data-stage]").Select(part => part.GetAttribute("data-stage")));
        Assert.Equal("detect 5.0 s, start 15 s", first.QuerySelector(".phi-lane")!.GetAttribute("aria-label"));
        Assert.Contains("training again after 20 s", first.TextContent, StringComparison.Ordinal);
        Assert.Contains("for 10 s so far", page.Find("[data-recovery='2']").TextContent, StringComparison.Ordinal);
        Assert.Equal("width:50%", page.Find("[data-recovery='2'] .phi-lane").GetAttribute("style"));
        Assert.Equal("flex-grow:0.75", first.QuerySelectorAll("[data-stage]")[1].GetAttribute("style"));
    }

    private IRenderedComponent<RecoveryLane> Render(params Recovery[] recoveries) =>
        _context.Render<RecoveryLane>(parameters => parameters.Add(lane => lane.Recoveries, recoveries).Add(lane => lane.Now, Start.AddSeconds(200)));

    private static Recovery Recovered(int attempt, int second, bool isOver, params (RecoveryStage Stage, int From, int To)[] parts) => new(
        new Interruption(attempt, Start.AddSeconds(second), "RankFailed", $"attempt {attempt} ended", true, 10, 5, 5), attempt + 1,
        [.. parts.Select(part => new RecoveryPart(part.Stage, Start.AddSeconds(second + part.From), Start.AddSeconds(second + part.To)))], isOver);
}
