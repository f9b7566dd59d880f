namespace Phi.Telemetry.Series;

/// <summary>Gathers points and roll-ups, in the order of their steps, into buckets of 2^<paramref name="shift"/> steps.</summary>
internal sealed class BucketBuilder(int shift)
{
    private readonly List<double> _step = [];
    private readonly List<double> _time = [];
    private readonly List<double> _min = [];
    private readonly List<double> _max = [];
    private readonly List<double> _average = [];
    private readonly List<double> _last = [];
    private readonly List<double> _count = [];
    private readonly List<double> _nonFinite = [];
    private long _bucket = -1;
    private Span _open;

    public bool IsEmpty => _bucket < 0;

    public void Add(in Span span)
    {
        var bucket = span.LastStep >> shift;
        if (bucket != _bucket)
        {
            Close();
            (_bucket, _open) = (bucket, span);
            return;
        }

        _open = _open.Followed(span);
    }

    public SeriesColumns Build()
    {
        Close();
        _bucket = -1;
        return new SeriesColumns
        {
            X = [.. _step], Step = [.. _step], Time = [.. _time], Min = [.. _min], Max = [.. _max], Average = [.. _average], Last = [.. _last], Count = [.. _count], NonFinite = [.. _nonFinite],
        };
    }

    private void Close()
    {
        if (IsEmpty)
        {
            return;
        }

        var isKnown = _open.N > 0;
        _step.Add(_open.LastStep);
        _time.Add(_open.LastTs);
        _min.Add(isKnown ? _open.Min : double.NaN);
        _max.Add(isKnown ? _open.Max : double.NaN);
        _average.Add(isKnown ? _open.Sum / _open.N : double.NaN);
        _last.Add(isKnown ? _open.Last : double.NaN);
        _count.Add(_open.N);
        _nonFinite.Add(_open.NonFinite);
    }

    /// <summary>One point, or the roll-up of several in one bucket of any size; its figures are of <see cref="N"/> finite values.</summary>
    internal readonly record struct Span(long LastStep, long LastTs, long N, long NonFinite, double Min, double Max, double Sum, double Last)
    {
        public static Span Point(long step, long ts, double value, int nonFinite) =>
            nonFinite == 0 ? new Span(step, ts, 1, 0, value, value, value, value) : new Span(step, ts, 0, 1, 0, 0, 0, 0);

        public Span Followed(in Span next) => (N, next.N) switch
        {
            (_, 0) => this with { LastStep = next.LastStep, LastTs = next.LastTs, NonFinite = NonFinite + next.NonFinite },
            (0, _) => next with { NonFinite = NonFinite + next.NonFinite },
            _ => new Span(next.LastStep, next.LastTs, N + next.N, NonFinite + next.NonFinite, Math.Min(Min, next.Min), Math.Max(Max, next.Max), Sum + next.Sum, next.Last),
        };
    }
}
