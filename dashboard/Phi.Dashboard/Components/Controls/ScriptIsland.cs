using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Phi.Dashboard.Components.Controls;

/// <summary>
/// A part of a page that a module of script draws by itself. The module's <c>create(root, …)</c> gives an object with <c>dispose</c> and
/// whatever else is called on it.
/// </summary>
public abstract class ScriptIsland : ComponentBase, IAsyncDisposable
{
    private IJSObjectReference? _island;

    /// <summary>The page was left, and the element with it; perhaps while the script was still on its way.</summary>
    private bool _isGone;

    /// <summary>The element that the script draws in.</summary>
    protected ElementReference Root { get; set; }

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    /// <summary>Path of the module below <c>wwwroot</c>.</summary>
    protected abstract string Module { get; }

    /// <summary>What <c>create</c> gets besides the element.</summary>
    protected abstract object?[] Arguments();

    /// <summary>The page was drawn again; the script is there.</summary>
    protected abstract Task RefreshAsync();

    /// <summary>Calls the script; nothing happens before it is there.</summary>
    protected async Task CallAsync(string method, params object?[] arguments)
    {
        if (_island is not null)
        {
            await _island.InvokeVoidAsync(method, arguments);
        }
    }

    protected sealed override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            await CreateAsync();
        }
        else if (_island is not null)
        {
            await RefreshAsync();
        }
    }

    private async Task CreateAsync()
    {
        try
        {
            await using var module = await Script.InvokeAsync<IJSObjectReference>("import", $"./_content/Phi.Dashboard/{Module}");
            if (!_isGone)
            {
                _island = await module.InvokeAsync<IJSObjectReference>("create", [Root, .. Arguments()]);
            }
        }
        catch (Exception e) when (_isGone && e is JSException or JSDisconnectedException)
        {
            // There is nothing left to draw in.
        }

        if (_isGone)
        {
            await RemoveAsync();
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _isGone = true;
        await RemoveAsync();
    }

    private async Task RemoveAsync()
    {
        try
        {
            if (_island is { } island)
            {
                _island = null;
                await island.InvokeVoidAsync("dispose");
                await island.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The page is gone, and what was drawn in it.
        }
    }
}
