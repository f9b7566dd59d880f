namespace Phi.Collectives.Nccl.Control;

/// <summary>Which rank a stuck collective waits for.</summary>
internal static class Culprit
{
    /// <param name="ranks">Of every rank, by rank.</param>
    public static Failure Find(Report report, IReadOnlyList<RankSight> ranks)
    {
        if (report.Suspect is { } suspect)
        {
            return new Failure(suspect, report.Operation, report.Text);
        }

        if (report.IsError)
        {
            return new Failure(report.Reporter, report.Operation, report.Text);
        }

        var others = report.Members.Where(rank => rank != report.Reporter).ToList();
        if (Oldest(others.Where(rank => !ranks[rank].IsInside)) is { } outside)
        {
            return new Failure(outside, report.Operation, ranks[outside].HasLeft ? "left the group before it" : $"did not reach it: {report.Text}; it answers, but its device has run no collective for {ranks[outside].SinceProgress.TotalSeconds:0.#} s");
        }

        // Every member waits too, so one of them waits in another collective for a rank that is in none.
        if (Oldest(Enumerable.Range(0, ranks.Count).Where(rank => rank != report.Reporter && !ranks[rank].IsInside)) is { } root)
        {
            return new Failure(root, report.Operation, $"is in no collective, and others wait for it: {report.Text}");
        }

        return Oldest(others) is { } stalled
            ? new Failure(stalled, report.Operation, $"is in a collective too and does not get on: {report.Text}; the network between them may be broken, or they call collectives in different orders")
            : new Failure(report.Reporter, report.Operation, $"did not finish it on its device: {report.Text}");

        int? Oldest(IEnumerable<int> candidates) => candidates.OrderByDescending(rank => ranks[rank].SinceProgress).ThenBy(rank => rank).Select(rank => (int?)rank).FirstOrDefault();
    }
}

/// <summary>What rank 0 knows of a rank.</summary>
internal sealed record RankSight(bool IsInside, bool HasLeft, TimeSpan SinceProgress);
