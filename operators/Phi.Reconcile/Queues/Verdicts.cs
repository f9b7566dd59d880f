using System.Collections.Immutable;

namespace Phi.Reconcile.Queues;

/// <summary>Says why a job waits, from the state in which a decision left the quotas.</summary>
internal sealed class Verdicts(QueueSnapshot snapshot, IReadOnlyDictionary<string, QueuePolicy> queues, IReadOnlyDictionary<(string Queue, string Type), (QuotaPool Pool, Lane Lane, IReadOnlyList<AdmittedJob> Admitted)> lanes)
{
    private const int MostNames = 3;

    public QueueVerdict Explain(QueuedJob job, int position)
    {
        if (!queues.TryGetValue(job.Queue, out var queue))
        {
            return Verdict("QueueNotFound", $"there is no TrainingQueue {job.Queue}", $"TrainingQueue {job.Queue}; create it, or name another in spec.queue");
        }

        if (queue.Problem is { } problem)
        {
            return Verdict("QueueInactive", $"queue {job.Queue} admits nothing: {problem}", $"a valid spec of TrainingQueue {job.Queue}");
        }

        if (job.MissingPriorityClass is { } name)
        {
            return Verdict("PriorityClassNotFound", $"there is no PriorityClass {name}", $"PriorityClass {name}; create it, or name another in spec.priorityClassName");
        }

        if (!lanes.TryGetValue((job.Queue, job.AcceleratorType), out var at) || !at.Lane.Line.IsDeclared)
        {
            return Verdict("NoQuota", $"queue {job.Queue} has no quota of {job.AcceleratorType}", $"a quota of at least {job.LeastUnits} {job.AcceleratorType} in spec.quotas of TrainingQueue {job.Queue}");
        }

        if (at.Pool.Most(at.Lane.Line) is var most && job.LeastUnits > most)
        {
            return Verdict(
                "ExceedsQuota", $"the job needs {job.LeastUnits} {job.AcceleratorType} accelerators at least, and queue {job.Queue} can never have more than {most}: {Limits(at.Lane.Line)}",
                $"more quota of {job.AcceleratorType} in TrainingQueue {job.Queue}, or a smaller job");
        }

        if (job.NotBefore is { } until && until > snapshot.Now)
        {
            return Verdict("BackingOff", $"a pod of its gang was not bound in time; the job is considered again from {UtcText.Of(until)} on", "the end of its backoff");
        }

        return at.Lane.Holder is { } holder && JobOrder.Instance.Compare(job, holder) > 0 ? Behind(holder, at.Lane) : Short(at.Pool, at.Lane, at.Admitted);

        QueueVerdict Verdict(string reason, string message, string waitsFor) => new(job, position, reason, message, waitsFor);

        QueueVerdict Behind(QueuedJob first, Lane lane) => Verdict(
            "BehindAnother", $"{first.Key} is before it and needs {first.LeastUnits} {job.AcceleratorType} accelerators; {lane.Line.Kept} free ones are kept for it", first.Key);

        QueueVerdict Short(QuotaPool pool, Lane lane, IReadOnlyList<AdmittedJob> admitted)
        {
            var isHolder = lane.Holder?.Uid == job.Uid;
            var free = Math.Max(0, isHolder ? lane.AvailableToHolder : Math.Min(pool.AvailableNow(lane.Line), pool.AvailableLater(lane.Line)));
            var needs = $"the job needs {job.LeastUnits} {job.AcceleratorType} accelerators at least and {free} are free for it: {Limits(lane.Line)}, {lane.Line.Used} used{Cohort(pool, lane.Line)}";
            return isHolder && lane.HolderFitsLater
                ? Verdict("WaitingForEvictions", $"{needs}; jobs of {Evicted(admitted).Sum(one => one.Units)} accelerators are being evicted", $"the eviction of {Names([.. Evicted(admitted)])}")
                : Verdict("InsufficientQuota", needs, Ends(job, isHolder ? lane.Line.Kept : 0, pool, lane.Line, admitted));
        }
    }

    /// <summary>The job, or the first few together, whose end would make room; the longest running first.</summary>
    private static string Ends(QueuedJob job, long kept, QuotaPool pool, QuotaLine line, IReadOnlyList<AdmittedJob> admitted)
    {
        var trial = pool.Copy();
        var at = trial.Line(line.Queue.Name);
        trial.AddNow(at, -kept);
        var running = admitted.OrderBy(one => one.AdmittedAt).ThenBy(one => one.Job.Uid, StringComparer.Ordinal).ToList();
        foreach (var one in running)
        {
            trial.AddNow(trial.Line(one.Job.Queue), -one.Units);
            if (trial.AvailableNow(at) >= job.LeastUnits)
            {
                return $"the end of {Names([one])}";
            }

            trial.AddNow(trial.Line(one.Job.Queue), one.Units);
        }

        var ended = new List<AdmittedJob>();
        foreach (var one in running)
        {
            var before = trial.AvailableNow(at);
            trial.AddNow(trial.Line(one.Job.Queue), -one.Units);
            if (trial.AvailableNow(at) > before)
            {
                ended.Add(one);
            }

            if (trial.AvailableNow(at) >= job.LeastUnits)
            {
                return $"the end of {Names(ended)}";
            }
        }

        return "jobs of the cohort that quota is kept for";
    }

    private static IEnumerable<AdmittedJob> Evicted(IReadOnlyList<AdmittedJob> admitted) => admitted.Where(one => one.IsEvicting);

    private static string Limits(QuotaLine line) =>
        $"{line.Quota.Nominal} nominal" + (line.Queue.Cohort is null ? "" : $", {(line.Quota.BorrowingLimit is { } limit ? $"at most {limit}" : "any number")} borrowed from cohort {line.Queue.Cohort}");

    private static string Cohort(QuotaPool pool, QuotaLine line) =>
        line.Queue.Cohort is null ? "" : $"; of the cohort's {pool.Lines.Sum(one => (long)one.Quota.Nominal)}, {pool.Lines.Sum(one => one.Used)} are used";

    private static string Names(List<AdmittedJob> jobs)
    {
        var names = jobs.Take(MostNames).Select(one => $"{one.Job.Key} ({one.Units})").ToList();
        var more = jobs.Count > MostNames ? $" and {jobs.Count - MostNames} more" : "";
        return string.Join(", ", names) + more;
    }
}
