using Microsoft.AspNetCore.Components;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Actions;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Every job; what is searched for and by what it is in order is in the address.</summary>
public sealed partial class Jobs : LiveComponent
{
    private const int MostRows = 500;
    private readonly HashSet<string> _chosen = [];
    private IReadOnlyList<TrainingJob> _all = [];
    private IReadOnlyList<TrainingJob> _jobs = [];

    [SupplyParameterFromQuery(Name = "q")]
    private string? Search { get; set; }

    [SupplyParameterFromQuery(Name = "state")]
    private string? State { get; set; }

    [SupplyParameterFromQuery(Name = "queue")]
    private string? Queue { get; set; }

    [SupplyParameterFromQuery(Name = "sort")]
    private string? Order { get; set; }

    [SupplyParameterFromQuery(Name = "desc")]
    private string? Descending { get; set; }

    [Inject]
    private NavigationManager Navigation { get; set; } = null!;

    [Inject]
    private JobActions Actions { get; set; } = null!;

    /// <summary>In words, for a question.</summary>
    private string Chosen => _chosen.Count == 1 ? "The chosen job" : $"{_chosen.Count} jobs";

    /// <summary>Without a word the newest comes first.</summary>
    private bool IsDescending => Descending is null ? Order is null : Descending == "1";

    private IEnumerable<string> States => _all.Select(job => job.Status?.Phase ?? TrainingPhase.Pending).Append(State ?? "").Where(state => state.Length > 0).Distinct().Order(StringComparer.Ordinal);

    private IEnumerable<string> Queues => _all.Select(job => job.Spec.Queue ?? "").Append(Queue ?? "").Where(queue => queue.Length > 0).Distinct().Order(StringComparer.Ordinal);

    private string CompareAddress => $"/compare?runs={string.Join(',', _all.Where(job => _chosen.Contains(job.Metadata.Uid!)).Select(job => job.Metadata.Uid))}";

    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Job;

    protected override Task RefreshAsync(CancellationToken ct)
    {
        _all = Live.Jobs;
        _chosen.IntersectWith(_all.Select(job => job.Metadata.Uid!));
        Filter();
        return Task.CompletedTask;
    }

    protected override void OnParametersSet() => Filter();

    private void Filter() => _jobs =
    [
        .. JobColumn.Find(Order).Sort(
            _all.Where(job => (string.IsNullOrEmpty(Search) || $"{job.Metadata.Namespace}/{job.Metadata.Name}".Contains(Search, StringComparison.OrdinalIgnoreCase))
                && (string.IsNullOrEmpty(State) || (job.Status?.Phase ?? TrainingPhase.Pending) == State)
                && (string.IsNullOrEmpty(Queue) || job.Spec.Queue == Queue)),
            IsDescending),
    ];

    /// <summary>Does it to every chosen job, one after the other; those for which it fails stay chosen.</summary>
    private async Task<ActionOutcome> AllAsync(Func<TrainingJob, Task<ActionOutcome>> act)
    {
        var jobs = _all.Where(job => _chosen.Contains(job.Metadata.Uid!)).ToList();
        var failures = new List<string>();
        foreach (var job in jobs)
        {
            var outcome = await act(job);
            if (outcome.IsDone)
            {
                _chosen.Remove(job.Metadata.Uid!);
            }
            else
            {
                failures.Add($"{job.Metadata.Namespace}/{job.Metadata.Name}: {outcome.Message}");
            }
        }

        return failures.Count == 0 ? new ActionOutcome(true, $"Done for {jobs.Count}.") : new ActionOutcome(false, $"Done for {jobs.Count - failures.Count} of {jobs.Count}. {string.Join(" ", failures.Distinct())}");
    }

    private void Choose(string uid, bool isChosen) => _ = isChosen ? _chosen.Add(uid) : _chosen.Remove(uid);

    /// <summary>To the same page with something else searched for; the same column again turns the order round.</summary>
    private void Go(string? search = null, string? state = null, string? queue = null, string? order = null) => Navigation.NavigateTo(
        Navigation.GetUriWithQueryParameters(new Dictionary<string, object?>
        {
            ["q"] = NullIfEmpty(search ?? Search),
            ["state"] = NullIfEmpty(state ?? State),
            ["queue"] = NullIfEmpty(queue ?? Queue),
            ["sort"] = order ?? Order,
            ["desc"] = order is null ? Descending : order == Order && !IsDescending ? "1" : "0",
        }),
        replace: true);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
