using Microsoft.AspNetCore.Components;
using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Actions;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Curves of several runs in one chart, whether or not their jobs are still there; and in what the manifests of those that are differ.</summary>
public sealed partial class Compare : LiveComponent
{
    private const int Most = 16;
    private const int MostChoices = 500;
    private IReadOnlyList<string> _uids = [];
    private IReadOnlyList<ChartRun> _runs = [];
    private IReadOnlyList<ChartRun> _others = [];
    private IReadOnlyList<string> _metrics = [];
    private IReadOnlyList<(string Name, string Text)> _manifests = [];
    private long _steps;

    /// <summary>The choice that is shown; null: none yet.</summary>
    private string? _shown;

    /// <summary>Uids of jobs, comma-separated.</summary>
    [SupplyParameterFromQuery(Name = "runs")]
    private string? Given { get; set; }

    [Inject]
    private TelemetryStore Store { get; set; } = null!;

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    /// <summary>What else there is to choose is read when the choice changes.</summary>
    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Job && _runs.Any(run => run.Name == $"{change.Key.Namespace}/{change.Key.Name}");

    protected override async Task OnParametersSetAsync()
    {
        if (_shown is not null && _shown != (Given ?? ""))
        {
            await RefreshOrWaitAsync();
        }
    }

    protected override async Task RefreshAsync(CancellationToken ct)
    {
        var jobs = Live.Jobs;
        if (_shown != (Given ?? ""))
        {
            await ChooseAsync(jobs, ct);
        }

        var metrics = new HashSet<string>();
        foreach (var run in _runs)
        {
            metrics.UnionWith(await Store.MetricsAsync(run.Id, ct));
        }

        _metrics = [.. metrics];
        _steps = jobs.Where(job => _uids.Contains(job.Metadata.Uid)).Sum(job => job.Status?.Progress?.Step ?? 0);
    }

    private async Task ChooseAsync(IReadOnlyList<TrainingJob> jobs, CancellationToken ct)
    {
        var given = Given ?? "";
        _uids = [.. given.Split(',', StringSplitOptions.RemoveEmptyEntries).Distinct().Take(Most)];
        var stored = (await Store.RunsAsync(_uids, ct)).ToDictionary(run => run.Run);
        _runs = [.. _uids.Where(stored.ContainsKey).Select(uid => new ChartRun(uid, Name(stored[uid])))];
        _manifests = [.. _uids.Select(uid => jobs.FirstOrDefault(job => job.Metadata.Uid == uid)).OfType<TrainingJob>().Select(job => ($"{job.Metadata.Namespace}/{job.Metadata.Name}", YamlText.Write(Resubmission.Manifest(job))))];
        var live = jobs.Select(job => job.Metadata.Uid!).ToHashSet();
        var deleted = (await Store.RunsAsync(null, null, MostChoices, ct)).Where(run => !live.Contains(run.Run));
        _others =
        [
            .. jobs.Select(job => new ChartRun(job.Metadata.Uid!, $"{job.Metadata.Namespace}/{job.Metadata.Name}"))
                .Concat(deleted.Select(run => new ChartRun(run.Run, $"{Name(run)} (deleted)")))
                .Where(run => !_uids.Contains(run.Id)).Take(MostChoices),
        ];
        _shown = given;

        static string Name(RunSummary run) => $"{run.Namespace}/{run.Job}";
    }

    private void Go(IEnumerable<string> uids) => Navigation.NavigateTo(Navigation.GetUriWithQueryParameter("runs", string.Join(',', uids.Where(uid => uid.Length > 0))), replace: true);
}
