using Phi.Api.Agent;
using Phi.Telemetry.Evaluation;

namespace Phi.Telemetry.Store;

/// <summary>A batch's points by series and step, each once, and the buckets that they lie in.</summary>
internal sealed class PointBatch
{
    /// <summary>Scores of checkpoints are rank 0's curves, beside its loss.</summary>
    public const int EvaluatingRank = 0;

    private readonly List<(int Key, long Step, long Ts, double Value)> _points;

    private PointBatch(List<SeriesKey> keys, List<(int Key, long Step, long Ts, double Value)> points) => (Keys, _points) = (keys, points);

    public IReadOnlyList<SeriesKey> Keys { get; }

    public int Count => _points.Count;

    /// <summary>Lowest step; null: there is none.</summary>
    public long? FirstStep { get; private init; }

    public static PointBatch From(EventBatch batch)
    {
        var keys = new List<SeriesKey>();
        var known = new Dictionary<(int, string), int>();
        var points = new List<(int Key, long Step, long Ts, double Value)>();
        foreach (var step in batch.Steps)
        {
            var ts = step.Time.ToUnixTimeMilliseconds();
            foreach (var (metric, value) in step.Metrics)
            {
                Add(step.Rank, metric, step.Step, ts, value);
            }
        }

        foreach (var evaluation in batch.Evaluations.Where(evaluation => evaluation.Reason is null))
        {
            foreach (var (k, score) in evaluation.PassAt)
            {
                Add(EvaluatingRank, EvaluationMetric.Of(evaluation.Suite, k), evaluation.Step, evaluation.Committed.ToUnixTimeMilliseconds(), score);
            }
        }

        return new PointBatch(keys, Distinct(points)) { FirstStep = batch.Steps.Count == 0 ? null : batch.Steps.Min(step => step.Step) };

        void Add(int rank, string metric, long step, long ts, double value)
        {
            if (!known.TryGetValue((rank, metric), out var key))
            {
                key = known[(rank, metric)] = keys.Count;
                keys.Add(new SeriesKey(batch.JobUid, batch.Attempt, rank, metric));
            }

            points.Add((key, step, ts, value));
        }
    }

    /// <param name="ids">Of the series of <see cref="Keys"/>.</param>
    public PointColumns Columns(IReadOnlyList<long> ids)
    {
        var columns = new PointColumns(_points.Count);
        for (var i = 0; i < _points.Count; i++)
        {
            var (key, step, ts, value) = _points[i];
            columns.Series[i] = ids[key];
            columns.Steps[i] = step;
            columns.Times[i] = ts;
            columns.Values[i] = double.IsFinite(value) ? value : 0;
            columns.NonFinite[i] = StoredValue.Kind(value);
        }

        return columns;
    }

    /// <summary>The buckets of 2^<paramref name="shift"/> steps that any point lies in.</summary>
    public (long[] Series, long[] Buckets) Buckets(IReadOnlyList<long> ids, int shift)
    {
        var (series, buckets) = (new List<long>(), new List<long>());
        foreach (var (key, step, _, _) in _points)
        {
            var bucket = step >> shift;
            if (series.Count == 0 || series[^1] != ids[key] || buckets[^1] != bucket)
            {
                series.Add(ids[key]);
                buckets.Add(bucket);
            }
        }

        return ([.. series], [.. buckets]);
    }

    /// <summary>By series and step; of one that came twice the later.</summary>
    private static List<(int Key, long Step, long Ts, double Value)> Distinct(List<(int Key, long Step, long Ts, double Value)> points)
    {
        var ordered = points.Select((point, at) => (point, at)).OrderBy(entry => entry.point.Key).ThenBy(entry => entry.point.Step).ThenBy(entry => entry.at).Select(entry => entry.point);
        var distinct = new List<(int Key, long Step, long Ts, double Value)>(points.Count);
        foreach (var point in ordered)
        {
            if (distinct.Count > 0 && distinct[^1].Key == point.Key && distinct[^1].Step == point.Step)
            {
                distinct[^1] = point;
            }
            else
            {
                distinct.Add(point);
            }
        }

        return distinct;
    }
}

/// <summary>What makes a series.</summary>
internal readonly record struct SeriesKey(string Run, int Attempt, int Rank, string Metric);

/// <summary>Points as columns, by series and step.</summary>
internal sealed class PointColumns(int count)
{
    public long[] Series { get; } = new long[count];
    public long[] Steps { get; } = new long[count];
    public long[] Times { get; } = new long[count];
    public double[] Values { get; } = new double[count];
    public short[] NonFinite { get; } = new short[count];
}
