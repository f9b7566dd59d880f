using Microsoft.AspNetCore.Components;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Curves of several runs in one chart, whether or not their jobs are still there.</summary>
public sealed partial class Compare : LiveComponent
{
    private const int Most = 16;
    private const int MostChoices = 500;
    private IReadOnlyList<string> _uids = [];
    private IReadOnlyList<ChartRun> _runs = [];
    private IReadOnlyList<ChartRun> _others = [];
    private IReadOnlyList<string> _metrics = [];
    private long _steps;
    private string? _shown;

    /// <summary>Uids of jobs, comma-separated.</summary>
    [SupplyParameterFromQuery(Name = "runs")]
    private string? Given { get; set; }

    [Inject]
    private TelemetryStore Store { get; set; } = null!;

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Job;

    protected override async Task OnParametersSetAsync()
    {
        if (_shown is not null && _shown != Given)
        {
            await RefreshOrWaitAsync();
        }
    }

    protected override async Task RefreshAsync(CancellationToken ct)
    {
        _shown = Given ?? "";
        _uids = [.. _shown.Split(',', StringSplitOptions.RemoveEmptyEntries).Distinct().Take(Most)];
        var stored = (await Store.RunsAsync(null, null, MostChoices, ct)).ToDictionary(run => run.Run, run => $"{run.Namespace}/{run.Job}");
        var jobs = Live.Jobs.ToDictionary(job => job.Metadata.Uid!);
        _runs = [.. _uids.Where(stored.ContainsKey).Select(uid => new ChartRun(uid, stored[uid]))];
        // Of those that are still there the newest come first.
        _others =
        [
            .. stored.Where(run => !_uids.Contains(run.Key)).OrderByDescending(run => jobs.GetValueOrDefault(run.Key)?.Metadata.CreationTimestamp)
                .Select(run => new ChartRun(run.Key, jobs.ContainsKey(run.Key) ? run.Value : $"{run.Value} (deleted)")),
        ];
        var metrics = new HashSet<string>();
        foreach (var run in _runs)
        {
            metrics.UnionWith(await Store.MetricsAsync(run.Id, ct));
        }

        _metrics = [.. metrics];
        _steps = _uids.Sum(uid => jobs.GetValueOrDefault(uid)?.Status?.Progress?.Step ?? 0);
    }

    private void Go(IEnumerable<string> uids) => Navigation.NavigateTo(Navigation.GetUriWithQueryParameter("runs", string.Join(',', uids.Where(uid => uid.Length > 0))), replace: true);
}
