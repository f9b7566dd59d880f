namespace Phi.Reconcile.Queues;

/// <summary>What would become of a job.</summary>
/// <param name="Outcome">Admitted, Preempts or Waits.</param>
/// <param name="Position">In its queue; null: it would be admitted.</param>
public sealed record WhatIfReport(string Job, string Queue, string Outcome, int? Replicas, int? Position, string Reason, string Message, string? WaitsFor, IReadOnlyList<WhatIfEviction> Evictions)
{
    public static WhatIfReport Of(QueuedJob job, QueueSnapshot snapshot) => Of(job, QueueWhatIf.Of(snapshot, job));

    private static WhatIfReport Of(QueuedJob job, QueueWhatIf result)
    {
        List<WhatIfEviction> evictions = [.. result.Evictions.Select(eviction => new WhatIfEviction(eviction.Victim.Job.Key, eviction.Victim.Job.Priority, eviction.Victim.Units, eviction.Reason, eviction.Message))];
        return result.Grant is { } grant
            ? new WhatIfReport(job.Key, job.Queue, "Admitted", grant.Replicas, null, "QuotaReserved", grant.Message, null, evictions)
            : new WhatIfReport(job.Key, job.Queue, evictions.Count > 0 ? "Preempts" : "Waits", null, result.Waits!.Position, result.Waits.Reason, result.Waits.Message, result.Waits.WaitsFor, evictions);
    }
}

public sealed record WhatIfEviction(string Job, int Priority, long Accelerators, string Reason, string Message);
