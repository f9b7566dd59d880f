using Microsoft.AspNetCore.Components;

namespace Phi.Dashboard.Components.Controls;

/// <summary>The logs of a job's pods, followed and searched by an island of script.</summary>
public sealed partial class LogPanel : ScriptIsland
{
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

    private IReadOnlyList<string> Chosen => Pods.Contains(_pod) ? [_pod] : Pods;

    protected override string Module => "logs.js";

    protected override object?[] Arguments()
    {
        _shown = Chosen;
        return [State()];
    }

    protected override async Task RefreshAsync()
    {
        if (!Chosen.SequenceEqual(_shown))
        {
            await UpdateAsync();
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

    private Task UpdateAsync()
    {
        _shown = Chosen;
        return CallAsync("update", State());
    }

    private object State() => new { Namespace, Pods = Chosen, Search = _search, Rank = _rank, IsFollowing = _isFollowing };
}
