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
            await using var module = await Script.InvokeAsync<IJSObjectReference>("import", $"./_content/Phi.Dashboard/{Module}");
            _island = await module.InvokeAsync<IJSObjectReference>("create", [Root, .. Arguments()]);
        }
        else if (_island is not null)
        {
            await RefreshAsync();
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        try
        {
            if (_island is not null)
            {
                await _island.InvokeVoidAsync("dispose");
                await _island.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The page is gone, and what was drawn in it.
        }
    }
}
