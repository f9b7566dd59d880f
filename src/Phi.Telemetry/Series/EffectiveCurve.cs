namespace Phi.Telemetry.Series;

/// <summary>Stitches the attempts of a run to one curve and thins it out.</summary>
internal static class EffectiveCurve
{
    /// <param name="points">By attempt, then step.</param>
    public static CurveData Stitch(IReadOnlyList<CurvePoint> points, int buckets)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buckets, 1);
        var attempts = points.GroupBy(point => point.Attempt).Select(group => group.ToList()).ToList();
        var effective = new List<CurvePoint>();
        var ranges = new List<AttemptRange>();
        var nextStart = long.MaxValue;
        foreach (var attempt in Enumerable.Reverse(attempts))
        {
            // What a later attempt began again is lost, even where it has not come so far yet.
            var kept = attempt.TakeWhile(point => point.Step < nextStart).ToList();
            ranges.Insert(0, new AttemptRange(attempt[0].Attempt, attempt[0].Step, attempt[^1].Step, attempt.Count - kept.Count));
            effective.InsertRange(0, kept);
            nextStart = Math.Min(nextStart, attempt[0].Step);
        }

        var finite = effective.Where(point => double.IsFinite(point.Value)).ToList();
        var perBucket = Math.Max(1, (finite.Count + buckets - 1) / buckets);
        var chunks = finite.Chunk(perBucket).ToList();
        return new CurveData
        {
            Steps = [.. chunks.Select(chunk => (double)chunk[^1].Step)],
            Minimum = [.. chunks.Select(chunk => chunk.Min(point => point.Value))],
            Maximum = [.. chunks.Select(chunk => chunk.Max(point => point.Value))],
            Average = [.. chunks.Select(chunk => chunk.Average(point => point.Value))],
            Last = [.. chunks.Select(chunk => chunk[^1].Value)],
            Attempts = ranges,
            Points = effective.Count,
            NonFiniteSteps = [.. effective.Where(point => !double.IsFinite(point.Value)).Select(point => (double)point.Step)],
        };
    }
}
