using Bunit;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Components.Controls;

namespace Phi.Dashboard.Tests;

public sealed class GoodputWaterfallTests : IDisposable
{
    private readonly BunitContext _context = new();

    public void Dispose() => _context.Dispose();

    [Fact]
    public void Render_BeforeTheFirstStep_SaysSo() => Assert.Contains("No step has been completed yet.", Render(null).Markup, StringComparison.Ordinal);

    [Fact]
    public void Render_LostTime_HasABarPerCauseThatBeginsWhereTheOneBeforeEnds()
    {
        var page = Render(new GoodputStatus { Ratio = 0.8, ProductiveSeconds = 80, LostSeconds = new() { ["starting"] = 5, ["recovering"] = 15, ["lostWork"] = 0 } });

        Assert.Equal(["productive", "recovering", "starting"], page.FindAll("[data-cause]").Select(row => row.GetAttribute("data-cause")));
        Assert.Equal(["margin-left:0%;width:80%", "margin-left:80%;width:15%", "margin-left:95%;width:5%"], page.FindAll("[data-cause] span").Select(bar => bar.GetAttribute("style")));
        Assert.Equal(["80 s", "15 s", "5.0 s"], page.FindAll("[data-cause] td:nth-of-type(2)").Select(cell => cell.TextContent));
    }

    private IRenderedComponent<GoodputWaterfall> Render(GoodputStatus? goodput) => _context.Render<GoodputWaterfall>(parameters => parameters.Add(waterfall => waterfall.Goodput, goodput));
}
