using Phi.Api.TrainingQueues;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;

namespace Phi.Dashboard.Components.Pages;

/// <summary>Every queue: its quota and use, who waits, why, and for what.</summary>
public sealed partial class Queues : LiveComponent
{
    private IReadOnlyList<TrainingQueue> _queues = [];

    protected override bool Concerns(LiveChange change) => change.Kind == LiveKind.Queue;

    protected override Task RefreshAsync(CancellationToken ct)
    {
        _queues = Live.Queues;
        return Task.CompletedTask;
    }

    private static string Words(TrainingQueue queue)
    {
        var cohort = queue.Spec.Cohort is { Length: > 0 } name ? $"cohort {name}, " : "";
        return $"{cohort}{queue.Status?.AdmittedJobs ?? 0} admitted, {queue.Status?.PendingJobs ?? 0} waiting";
    }

    private static string Details(QueueUsageStatus usage)
    {
        List<string> details = [];
        AddIfAny("borrowed", usage.Borrowed);
        AddIfAny("lent", usage.Lent);
        AddIfAny("kept for the first that waits", usage.Reserved);
        return details.Count == 0 ? "" : $" ({string.Join(", ", details)})";

        void AddIfAny(string what, int? count)
        {
            if (count > 0)
            {
                details.Add($"{count} {what}");
            }
        }
    }
}
