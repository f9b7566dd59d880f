using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Ranks by time: how long each one's steps took against the others'. Drawn by an island of script.</summary>
public sealed partial class RankHeatMap : ComponentBase, IAsyncDisposable
{
    private const string Metric = "busy_seconds";
    private ElementReference _root;
    private IJSObjectReference? _map;
    private object? _shown;

    /// <summary>The job's uid.</summary>
    [Parameter]
    public required string Run { get; set; }

    /// <summary>Whenever it is another one, there is more to fetch.</summary>
    [Parameter]
    public object? Progress { get; set; }

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            await using var module = await Script.InvokeAsync<IJSObjectReference>("import", "./_content/Phi.Dashboard/chart/heatmap.js");
            _shown = Progress;
            _map = await module.InvokeAsync<IJSObjectReference>("create", _root, new { Run, Metric });
        }
        else if (_map is not null && !Equals(_shown, Progress))
        {
            _shown = Progress;
            await _map.InvokeVoidAsync("more");
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_map is not null)
            {
                await _map.InvokeVoidAsync("dispose");
                await _map.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The page is gone, and the map with it.
        }
    }
}
