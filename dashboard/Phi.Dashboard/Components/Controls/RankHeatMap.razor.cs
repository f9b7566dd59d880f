using Microsoft.AspNetCore.Components;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Ranks by time: how long each one's steps took against the others'. Drawn by an island of script.</summary>
public sealed partial class RankHeatMap : ScriptIsland
{
    private const string Metric = "busy_seconds";
    private object? _shown;

    /// <summary>The job's uid.</summary>
    [Parameter]
    public required string Run { get; set; }

    /// <summary>Whenever it is another one, there is more to fetch.</summary>
    [Parameter]
    public object? Progress { get; set; }

    protected override string Module => "chart/heatmap.js";

    protected override object?[] Arguments()
    {
        _shown = Progress;
        return [new { Run, Metric }];
    }

    protected override async Task RefreshAsync()
    {
        if (!Equals(_shown, Progress))
        {
            _shown = Progress;
            await CallAsync("more");
        }
    }
}
