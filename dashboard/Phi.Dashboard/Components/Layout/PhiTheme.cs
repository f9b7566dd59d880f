using MudBlazor;

namespace Phi.Dashboard.Components.Layout;

/// <summary>Colours and fonts; the fonts are the system's, so that no other host is asked.</summary>
internal static class PhiTheme
{
    private static readonly string[] Fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"];

    public static MudTheme Theme { get; } = new()
    {
        PaletteLight = new PaletteLight { Primary = "#3451b2", AppbarBackground = "#1f2a44", Success = "#1b7f4d", Error = "#b3261e", Warning = "#8a5a00", TextSecondary = "rgba(0,0,0,0.66)" },
        PaletteDark = new PaletteDark { Primary = "#9db2ff", AppbarBackground = "#161b28", Success = "#6fd3a0", Error = "#ff9b93", Warning = "#f0b95b", TextSecondary = "rgba(255,255,255,0.76)" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Fonts },
            H5 = new H5Typography { FontFamily = Fonts, FontWeight = "600" },
            H6 = new H6Typography { FontFamily = Fonts, FontWeight = "600", FontSize = "1.05rem" },
        },
    };
}
