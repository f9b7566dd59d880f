namespace Phi.Telemetry.Store;

/// <summary>
/// Ids of series, and what is known of their runs, so that a batch need not ask for them each time. All is forgotten every ten minutes:
/// what retention removes meanwhile has had no batch for days.
/// </summary>
internal sealed class SeriesIds(TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);
    private readonly Lock _lock = new();
    private readonly Dictionary<SeriesKey, long> _ids = [];
    private readonly Dictionary<(string Run, int Attempt), long> _firstSteps = [];
    private DateTimeOffset _since = time.GetUtcNow();

    public long? Find(SeriesKey key)
    {
        lock (_lock)
        {
            Expire();
            return _ids.TryGetValue(key, out var id) ? id : null;
        }
    }

    /// <summary>Whether the run, and the attempt with this or a lower first step, are stored.</summary>
    public bool Knows(string run, int attempt, long? firstStep)
    {
        lock (_lock)
        {
            Expire();
            return firstStep is { } first && _firstSteps.TryGetValue((run, attempt), out var known) && known <= first;
        }
    }

    /// <summary>To be called once what was stored is committed.</summary>
    /// <param name="firstStep">Null: nothing was stored of an attempt's steps.</param>
    public void Remember(string run, int attempt, long? firstStep, IEnumerable<(SeriesKey Key, long Id)> ids)
    {
        lock (_lock)
        {
            if (firstStep is { } first)
            {
                _firstSteps[(run, attempt)] = _firstSteps.TryGetValue((run, attempt), out var known) ? Math.Min(known, first) : first;
            }

            foreach (var (key, id) in ids)
            {
                _ids[key] = id;
            }
        }
    }

    private void Expire()
    {
        if (time.GetUtcNow() - _since > Lifetime)
        {
            _ids.Clear();
            _firstSteps.Clear();
            _since = time.GetUtcNow();
        }
    }
}
