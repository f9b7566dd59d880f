using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;

namespace Phi.Dashboard.Components.Layout;

/// <summary>The frame of every page; dark or light as the system is, or as the person chose on this machine.</summary>
public sealed partial class MainLayout : LayoutComponentBase
{
    private const string SchemeKey = "phi-colours";
    private const string System = "System";
    private const string Dark = "Dark";
    private const string Light = "Light";
    private static readonly (string Href, string Title)[] Pages = [("/jobs", "Jobs"), ("/compare", "Compare"), ("/queues", "Queues"), ("/nodes", "Nodes"), ("/crons", "Cron jobs")];
    private MudThemeProvider? _theme;
    private bool _isDark;
    private string _scheme = System;

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender && _theme is not null)
        {
            var kept = await Script.InvokeAsync<string?>("localStorage.getItem", SchemeKey);
            _scheme = kept is Dark or Light ? kept : System;
            await ApplySchemeAsync();
        }
    }

    private async Task NextSchemeAsync()
    {
        _scheme = _scheme switch { System => Dark, Dark => Light, _ => System };
        await Script.InvokeVoidAsync("localStorage.setItem", SchemeKey, _scheme);
        await ApplySchemeAsync();
    }

    private async Task ApplySchemeAsync()
    {
        _isDark = _scheme == System ? await _theme!.GetSystemDarkModeAsync() : _scheme == Dark;
        StateHasChanged();
    }
}
