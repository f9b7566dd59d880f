using Microsoft.AspNetCore.Components;

namespace Phi.Dashboard.Components.Controls;

/// <summary>The logs of a job's pods, followed and searched by an island of script; what is looked for is in the address.</summary>
public sealed partial class LogPanel : ScriptIsland
{
    private LogView? _shown;

    [SupplyParameterFromQuery(Name = "pod")]
    private string? Pod { get; set; }

    [SupplyParameterFromQuery(Name = "rank")]
    private string? Rank { get; set; }

    [SupplyParameterFromQuery(Name = "log")]
    private string? Search { get; set; }

    [SupplyParameterFromQuery(Name = "follow")]
    private string? Following { get; set; }

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    [Parameter]
    public required string Namespace { get; set; }

    /// <summary>Names of the pods whose logs there are.</summary>
    [Parameter]
    public required IReadOnlyList<string> Pods { get; set; }

    private IReadOnlyList<string> Chosen => Pod is not null && Pods.Contains(Pod) ? [Pod] : Pods;

    protected override string Module => "logs.js";

    protected override object?[] Arguments()
    {
        _shown = Wanted;
        return [Told(Wanted)];
    }

    protected override async Task RefreshAsync()
    {
        if (Wanted != _shown)
        {
            _shown = Wanted;
            await CallAsync("update", Told(Wanted));
        }
    }

    private LogView Wanted => new(string.Join(',', Chosen), Rank?.Trim() ?? "", Search ?? "", Following != "0");

    private object Told(LogView view) => new { Namespace, Pods = Chosen, view.Search, view.Rank, view.IsFollowing };

    private void Go(string? pod = null, string? rank = null, string? search = null, bool? isFollowing = null) => Navigation.NavigateTo(
        Navigation.GetUriWithQueryParameters(new Dictionary<string, object?>
        {
            ["pod"] = NullIfEmpty(pod ?? Pod),
            ["rank"] = NullIfEmpty(rank ?? Rank),
            ["log"] = NullIfEmpty(search ?? Search),
            ["follow"] = isFollowing ?? Following != "0" ? null : "0",
        }),
        replace: true);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>What the script was told.</summary>
    /// <param name="Pods">Names, comma-separated.</param>
    private sealed record LogView(string Pods, string Rank, string Search, bool IsFollowing);
}
