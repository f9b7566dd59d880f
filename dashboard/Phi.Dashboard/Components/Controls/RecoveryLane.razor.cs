using System.Globalization;
using Microsoft.AspNetCore.Components;
using Phi.Telemetry.Story;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Each interruption of a job as a bar: what its recovery was spent on, from the last step before it to the first after it.</summary>
public sealed partial class RecoveryLane : ComponentBase
{
    private const double LeastWidth = 12;

    [Parameter]
    public required IReadOnlyList<Recovery> Recoveries { get; set; }

    [Parameter]
    public required DateTimeOffset Now { get; set; }

    private static string Name(RecoveryStage stage) => stage == RecoveryStage.FirstStep ? "first step" : stage.ToString().ToLowerInvariant();

    private static string Class(RecoveryStage stage) => Name(stage).Replace(' ', '-');

    private static string Words(Recovery recovery) => string.Join(", ", recovery.Parts.Select(part => $"{Name(part.Stage)} {Show.Duration(part.Length)}"));

    /// <summary>Long recoveries have long bars.</summary>
    private string Width(Recovery recovery)
    {
        var longest = Recoveries.Max(one => (one.End - one.Start).TotalSeconds);
        var share = longest > 0 ? (recovery.End - recovery.Start).TotalSeconds / longest * 100 : 100;
        return string.Create(CultureInfo.InvariantCulture, $"width:{Math.Max(LeastWidth, share):0.##}%");
    }

    private static string Share(RecoveryPart part, Recovery recovery)
    {
        var whole = (recovery.End - recovery.Start).TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $"flex-grow:{(whole > 0 ? part.Length.TotalSeconds / whole : 1):0.####}");
    }
}
