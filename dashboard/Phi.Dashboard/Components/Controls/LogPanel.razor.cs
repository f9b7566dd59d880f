using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Phi.Dashboard.Components.Controls;

/// <summary>The logs of a job's pods, followed and searched by an island of script.</summary>
public sealed partial class LogPanel : ComponentBase, IAsyncDisposable
{
    private ElementReference _root;
    private IJSObjectReference? _log;
    private string _pod = "";
    private string _rank = "";
    private string _search = "";
    private bool _isFollowing = true;
    private IReadOnlyList<string> _shown = [];

    [Parameter]
    public required string Namespace { get; set; }

    /// <summary>Names of the pods whose logs there are.</summary>
    [Parameter]
    public required IReadOnlyList<string> Pods { get; set; }

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    private IReadOnlyList<string> Chosen => Pods.Contains(_pod) ? [_pod] : Pods;

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            await using var module = await Script.InvokeAsync<IJSObjectReference>("import", "./_content/Phi.Dashboard/logs.js");
            _shown = Chosen;
            _log = await module.InvokeAsync<IJSObjectReference>("create", _root, State());
        }
        else if (_log is not null && !Chosen.SequenceEqual(_shown))
        {
            await UpdateAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_log is not null)
            {
                await _log.InvokeVoidAsync("dispose");
                await _log.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The page is gone, and the log with it.
        }
    }

    private Task Set(string? pod = null, string? rank = null, string? search = null)
    {
        (_pod, _rank, _search) = (pod ?? _pod, rank?.Trim() ?? _rank, search ?? _search);
        return UpdateAsync();
    }

    private Task Follow(bool isFollowing)
    {
        _isFollowing = isFollowing;
        return UpdateAsync();
    }

    private async Task UpdateAsync()
    {
        _shown = Chosen;
        if (_log is not null)
        {
            await _log.InvokeVoidAsync("update", State());
        }
    }

    private object State() => new { Namespace, Pods = Chosen, Search = _search, Rank = _rank, IsFollowing = _isFollowing };
}
