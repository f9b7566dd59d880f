using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Phi.Dashboard.Components.Layout;

/// <summary>The frame of every page; dark or light as the system is.</summary>
public sealed partial class MainLayout : LayoutComponentBase
{
    private static readonly (string Href, string Title)[] Pages = [("/jobs", "Jobs"), ("/compare", "Compare"), ("/queues", "Queues"), ("/nodes", "Nodes"), ("/crons", "Cron jobs")];
    private MudThemeProvider? _theme;
    private bool _isDark;

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender && _theme is not null)
        {
            _isDark = await _theme.GetSystemDarkModeAsync();
            StateHasChanged();
        }
    }
}
