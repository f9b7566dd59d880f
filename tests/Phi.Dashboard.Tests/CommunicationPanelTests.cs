using Bunit;
using MudBlazor.Services;
using Phi.Api.TrainingJobs;
using Phi.Api.Traffic;
using Phi.Dashboard.Components.Controls;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Tests;

/// <summary>The job page's section on communication.</summary>
public sealed class CommunicationPanelTests : IDisposable
{
    private readonly BunitContext _context = new();

    public CommunicationPanelTests()
    {
        _context.JSInterop.Mode = JSRuntimeMode.Loose;
        _context.Services.AddMudServices();
    }

    public void Dispose() => _context.Dispose();

    [Fact]
    public void Render_AllTechniquesOnTwoNodes_ShowsTableAndSaving()
    {
        var spec = Spec(2, 2, new ZeroSpec { QuantizedWeights = new(), HierarchicalPartitioning = new(), QuantizedGradients = new() });
        var across = ZeroTraffic.SixteenBit(spec)!.AcrossNodes / 4.0;

        var panel = Render(spec, Traffic(4, [new("all-gather", 5_000_000, across / 2), new("all-to-all", 3_000_000, across / 2)]));

        Assert.StartsWith("4.0× fewer bytes across nodes than 16-bit ZeRO-3", panel.Find("[data-traffic=saving]").TextContent, StringComparison.Ordinal);
        Assert.Contains("On: qwZ (INT8), hpZ, qgZ (INT8 within nodes, INT4 across)", panel.Markup, StringComparison.Ordinal);
        Assert.Equal(["all-gather", "all-to-all"], panel.FindAll("tbody tr").Select(row => row.GetAttribute("data-collective")));
        Assert.Contains("5.0 MB", panel.Find("tr[data-collective=all-gather]").TextContent, StringComparison.Ordinal);
        Assert.Contains("8.0 MB", panel.Find("tfoot").TextContent, StringComparison.Ordinal);
        Assert.Equal("75.0 %", panel.Find("[data-traffic=hidden]").TextContent);
        Assert.Contains("steps 11 to 30 of attempt 1", panel.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_NoTechniqueOn_SaysSo() =>
        Assert.Contains("No technique of ZeRO++ is on", Render(Spec(2, 2, new ZeroSpec()), Traffic(4, [new("all-gather", 1, 1)])).Markup, StringComparison.Ordinal);

    [Fact]
    public void Render_Stage2_ClaimsNoSaving() =>
        Assert.Contains("there is no saving to show", Render(Spec(2, 2, new ZeroSpec { Stage = 2 }), Traffic(4, [new("all-gather", 1, 1)])).Markup, StringComparison.Ordinal);

    [Fact]
    public void Render_VocabularyOfTheTokenizer_SaysWhatToWrite()
    {
        var spec = Spec(2, 2, new ZeroSpec());
        spec.Phi!.Model!.VocabularySize = null;

        var panel = Render(spec, Traffic(4, [new("all-gather", 1, 1)]));

        Assert.Contains("vocabularySize is the tokenizer's", panel.Find("[data-traffic=saving]").TextContent, StringComparison.Ordinal);
    }

    public static TheoryData<int, int, TrafficData?, string> Nothing => new()
    {
        { 2, 2, null, "No traffic reported yet" },
        { 2, 2, Traffic(4, []), "No traffic reported yet" },
        { 2, 2, Traffic(3, [new("all-gather", 1, 1)]), "3 of 4 ranks" },
        { 1, 1, Traffic(1, []), "one rank" },
    };

    [Theory]
    [MemberData(nameof(Nothing))]
    public void Render_WithoutFigures_SaysWhy(int replicas, int perReplica, TrafficData? traffic, string expected)
    {
        var panel = Render(Spec(replicas, perReplica, new ZeroSpec()), traffic);

        Assert.Contains(expected, panel.Find("[data-traffic=none]").TextContent, StringComparison.Ordinal);
        Assert.Empty(panel.FindAll("table"));
    }

    private IRenderedComponent<CommunicationPanel> Render(TrainingJobSpec spec, TrafficData? traffic) =>
        _context.Render<CommunicationPanel>(parameters => parameters.Add(panel => panel.Spec, spec).Add(panel => panel.Traffic, traffic));

    private static TrafficData Traffic(int ranks, IReadOnlyList<CollectiveTraffic> collectives) =>
        new() { Attempt = 1, FirstStep = 11, LastStep = 30, Ranks = ranks, Collectives = collectives, HiddenShare = 0.75 };

    private static TrainingJobSpec Spec(int replicas, int perReplica, ZeroSpec zero) => TrainingJobDefaults.Apply(new TrainingJob
    {
        Spec = new TrainingJobSpec { Replicas = replicas, Accelerator = new AcceleratorSpec { PerReplica = perReplica }, Phi = new PhiSpec { Steps = 10 }, Zero = zero },
    }).Spec;
}
