using System.Globalization;
using Microsoft.AspNetCore.Components;
using Phi.Api.TrainingJobs;

namespace Phi.Dashboard.Components.Controls;

/// <summary>The job's wall time by cause: what was productive, then what each cause took of the rest.</summary>
public sealed partial class GoodputWaterfall : ComponentBase
{
    private const string Productive = "productive";

    private static readonly Dictionary<string, string> Names = new()
    {
        [Productive] = "Productive", ["queued"] = "Queued", ["starting"] = "Starting", ["recovering"] = "Recovering", ["lostWork"] = "Work done again", ["checkpointStall"] = "Waiting for checkpoints", ["suspended"] = "Suspended", ["other"] = "Other",
    };

    [Parameter]
    public required GoodputStatus? Goodput { get; set; }

    private double Whole(double productive) => Math.Max(1e-3, productive + (Goodput!.LostSeconds?.Values.Sum() ?? 0));

    /// <summary>Each begins where the one before it ends.</summary>
    private List<Bar> Bars(double productive)
    {
        var bars = new List<Bar> { new(Productive, Names[Productive], 0, productive) };
        foreach (var (cause, seconds) in (Goodput!.LostSeconds ?? []).Where(lost => lost.Value > 0).OrderByDescending(lost => lost.Value))
        {
            bars.Add(new Bar(cause, Names.GetValueOrDefault(cause, cause), bars[^1].Start + bars[^1].Seconds, seconds));
        }

        return bars;
    }

    private string Place(Bar bar)
    {
        var whole = Whole(bar.Cause == Productive ? bar.Seconds : Goodput!.ProductiveSeconds!.Value);
        return string.Create(CultureInfo.InvariantCulture, $"margin-left:{bar.Start / whole * 100:0.##}%;width:{Math.Max(0.3, bar.Seconds / whole * 100):0.##}%");
    }

    private sealed record Bar(string Cause, string Name, double Start, double Seconds);
}
