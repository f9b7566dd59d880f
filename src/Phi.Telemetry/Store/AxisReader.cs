using Phi.Telemetry.Series;

namespace Phi.Telemetry.Store;

/// <summary>Reads curves over any axis: the range is found in steps, and each bucket's place on the axis is read from other curves of the run.</summary>
internal sealed class AxisReader(SeriesReader reader)
{
    /// <summary>Buckets in which a range's ends are looked for.</summary>
    private const int Search = 4096;
    private const string Tokens = "tokens";
    private const string StepSeconds = "step_seconds";

    public async Task<SeriesData> ReadAsync(SeriesQuery query, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Buckets, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(query.Buckets, SeriesQuery.MostBuckets);
        if (query.Axis == SeriesAxis.Step)
        {
            return await reader.ReadAsync(query, Clamp(Math.Ceiling(query.From ?? double.NaN)), Clamp(Math.Floor(query.To ?? double.NaN)), ct);
        }

        var (from, to) = await StepsAsync(query, ct);
        var data = await reader.ReadAsync(query, from, to, ct);
        var axis = await AxisAsync(query, data.FirstStep, from, to, query.Buckets, ct);
        return data with
        {
            Columns = data.Columns with { X = axis.Of(data.Columns) },
            Lost = [.. data.Lost.Select(lost => lost with { Columns = lost.Columns with { X = axis.Of(lost.Columns) } })],
        };
    }

    /// <summary>The steps between which the range lies; null where it is open.</summary>
    private async Task<(long? From, long? To)> StepsAsync(SeriesQuery query, CancellationToken ct)
    {
        if (query.From is null && query.To is null)
        {
            return (null, null);
        }

        var whole = await reader.ReadAsync(query with { Buckets = Search }, null, null, ct);
        var places = (await AxisAsync(query, whole.FirstStep, null, null, Search, ct)).Of(whole.Columns);
        var steps = whole.Columns.Step;
        // A bucket's place is that of its newest step: the range begins after the bucket before the first one that reaches it.
        var first = query.From is { } from ? Array.FindIndex(places, place => place >= from) : 0;
        var last = query.To is { } to ? Array.FindIndex(places, place => place >= to) : -1;
        return (first switch { < 0 => long.MaxValue, 0 => null, _ => (long)steps[first - 1] + 1 }, last < 0 ? null : (long)steps[last]);
    }

    private async Task<Axis> AxisAsync(SeriesQuery query, long firstStep, long? from, long? to, int buckets, CancellationToken ct)
    {
        switch (query.Axis)
        {
            case SeriesAxis.Tokens:
                var tokens = await reader.ReadAsync(query with { Metric = Tokens, Rank = 0, Buckets = buckets }, from, to, ct);
                return new Axis(tokens.Columns.Step, tokens.Columns.Last);
            case SeriesAxis.Training:
                var seconds = (await reader.ReadAsync(query with { Metric = StepSeconds, Rank = 0, Buckets = buckets }, from, to, ct)).Columns;
                var sum = from > firstStep ? Sum((await reader.ReadAsync(query with { Metric = StepSeconds, Rank = 0, Buckets = 1 }, null, from - 1, ct)).Columns, 0) : 0;
                return new Axis(seconds.Step, [.. Enumerable.Range(0, seconds.Step.Length).Select(i => sum += Sum(seconds, i))]);
            default:
                return Axis.Time;
        }
    }

    private static double Sum(SeriesColumns columns, int bucket) => bucket < columns.Count.Length && columns.Count[bucket] > 0 ? columns.Average[bucket] * columns.Count[bucket] : 0;

    private static long? Clamp(double step) => double.IsNaN(step) ? null : (long)Math.Clamp(step, 0, 1e18);

    /// <summary>Places of steps on the axis, by step; null: a column tells its own.</summary>
    private sealed record Axis(double[]? Steps, double[]? Places)
    {
        public static readonly Axis Time = new(null, null);

        public double[] Of(SeriesColumns columns)
        {
            if (Steps is null || Places is null)
            {
                return columns.Time;
            }

            return [.. columns.Step.Select(step => Array.BinarySearch(Steps, step) is var at && at >= 0 ? Places[at] : Between(~at, step))];
        }

        /// <summary>Of a step between two known ones, as if every step between them were alike.</summary>
        private double Between(int after, double step)
        {
            if (after == 0 || after == Steps!.Length)
            {
                return double.NaN;
            }

            var share = (step - Steps[after - 1]) / (Steps[after] - Steps[after - 1]);
            return Places![after - 1] + share * (Places[after] - Places[after - 1]);
        }
    }
}
