using Microsoft.AspNetCore.Components;

namespace Phi.Dashboard.Components.Controls;

/// <summary>The logs of a job's pods, followed and searched by an island of script; what is looked for is in the address.</summary>
public sealed partial class LogPanel : ScriptIsland
{
    private IReadOnlyList<string> _shown = [];

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

    private bool IsFollowing => Following != "0";

    private IReadOnlyList<string> Chosen => Pod is not null && Pods.Contains(Pod) ? [Pod] : Pods;

    protected override string Module => "logs.js";

    protected override object?[] Arguments()
    {
        _shown = State;
        return [Told(_shown)];
    }

    protected override async Task RefreshAsync()
    {
        if (!State.SequenceEqual(_shown))
        {
            _shown = State;
            await CallAsync("update", Told(_shown));
        }
    }

    /// <summary>What the script was told last is compared with this.</summary>
    private IReadOnlyList<string> State => [Rank?.Trim() ?? "", Search ?? "", Following ?? "", .. Chosen];

    private object Told(IReadOnlyList<string> state) => new { Namespace, Pods = state.Skip(3), Search = state[1], Rank = state[0], IsFollowing };

    private void Go(string? pod = null, string? rank = null, string? search = null, bool? isFollowing = null) => Navigation.NavigateTo(
        Navigation.GetUriWithQueryParameters(new Dictionary<string, object?>
        {
            ["pod"] = NullIfEmpty(pod ?? Pod),
            ["rank"] = NullIfEmpty(rank ?? Rank),
            ["log"] = NullIfEmpty(search ?? Search),
            ["follow"] = isFollowing ?? IsFollowing ? null : "0",
        }),
        replace: true);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
