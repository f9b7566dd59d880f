using System.Threading.Channels;
using Phi.Kubernetes;
using Phi.Operator.Metrics;

namespace Phi.Operator.Queue;

/// <summary>
/// Keys that wait for a reconcile. A key is there at most once; one that is added while it is worked on comes again afterwards, so no
/// two workers ever hold the same key. Failures come back after a growing, jittered delay. Of those that wait the ones that are urgent are
/// taken before the others, each kind in the order in which it came.
/// </summary>
internal sealed class KeyedQueue(TimeProvider time, WorkQueueMetrics? metrics = null)
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);
    private readonly Channel<Entry> _ready = Channel.CreateUnboundedPrioritized(new UnboundedPrioritizedChannelOptions<Entry> { Comparer = Comparer<Entry>.Create(Entry.InOrder) });
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceKey, Entry> _queued = [];
    private readonly HashSet<ResourceKey> _active = [];
    private readonly Dictionary<ResourceKey, bool> _again = [];
    private readonly Dictionary<ResourceKey, int> _failures = [];
    private readonly Dictionary<ResourceKey, (DateTimeOffset At, ITimer Timer)> _later = [];
    private long _added;

    public void Add(ResourceKey key) => Add(key, isUrgent: false);

    /// <param name="isUrgent">Whether it goes before those that are not, such as a grant whose quota stands idle until it is written. Said once, it holds until the key is taken.</param>
    public void Add(ResourceKey key, bool isUrgent)
    {
        lock (_lock)
        {
            if (_active.Contains(key))
            {
                _again[key] = isUrgent || _again.GetValueOrDefault(key);
            }
            else
            {
                Enqueue(key, isUrgent);
            }
        }
    }

    /// <summary>Adds the key after a delay; of several delays the shortest counts.</summary>
    public void AddAfter(ResourceKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_lock)
        {
            // A timer holds 49 days at most; who comes too early looks, and waits again.
            delay = delay < LongestDelay ? delay : LongestDelay;
            var at = time.GetUtcNow() + delay;
            if (_later.TryGetValue(key, out var waiting))
            {
                if (waiting.At <= at)
                {
                    return;
                }

                waiting.Timer.Dispose();
            }

            _later[key] = (at, time.CreateTimer(_ => Ripen(key), null, delay, Timeout.InfiniteTimeSpan));
        }
    }

    public async ValueTask<ResourceKey> TakeAsync(CancellationToken ct)
    {
        while (true)
        {
            var entry = await _ready.Reader.ReadAsync(ct);
            lock (_lock)
            {
                // What became urgent later was taken then.
                if (_queued.GetValueOrDefault(entry.Key) != entry)
                {
                    continue;
                }

                _queued.Remove(entry.Key);
                _active.Add(entry.Key);
                metrics?.Latency.Observe(time.GetElapsedTime(entry.Since).TotalSeconds);
                metrics?.Depth.Set(_queued.Count);
            }

            return entry.Key;
        }
    }

    /// <summary>The work on a key is over. A failure is tried again later, whatever its cause.</summary>
    /// <param name="atLeast">How long the server asked to be left alone; then not even news brings the key back sooner.</param>
    public void Done(ResourceKey key, bool hasFailed, TimeSpan? atLeast = null)
    {
        TimeSpan? backoff = null;
        lock (_lock)
        {
            _active.Remove(key);
            if (hasFailed)
            {
                var failures = _failures[key] = _failures.GetValueOrDefault(key) + 1;
                var ticks = Math.Min(LongestBackoff.Ticks, FirstBackoff.Ticks << Math.Min(failures - 1, 20));
                backoff = TimeSpan.FromTicks((long)(ticks * (0.75 + Random.Shared.NextDouble() / 2)));
                backoff = atLeast > backoff ? atLeast : backoff;
                metrics?.Retries.Inc();
            }
            else
            {
                _failures.Remove(key);
            }

            if (_again.Remove(key, out var isUrgent) && !(hasFailed && atLeast is not null))
            {
                Enqueue(key, isUrgent);
            }
        }

        if (backoff is { } delay)
        {
            AddAfter(key, delay);
        }
    }

    private void Enqueue(ResourceKey key, bool isUrgent)
    {
        var waiting = _queued.GetValueOrDefault(key);
        if (waiting is not null && (waiting.IsUrgent || !isUrgent))
        {
            return;
        }

        var entry = new Entry(key, isUrgent, ++_added, waiting?.Since ?? time.GetTimestamp());
        _queued[key] = entry;
        _ready.Writer.TryWrite(entry);
        metrics?.Depth.Set(_queued.Count);
    }

    private void Ripen(ResourceKey key)
    {
        lock (_lock)
        {
            if (_later.Remove(key, out var waiting))
            {
                waiting.Timer.Dispose();
            }
        }

        Add(key);
    }

    /// <param name="Since">When the key came, a timestamp of the clock.</param>
    private sealed record Entry(ResourceKey Key, bool IsUrgent, long Number, long Since)
    {
        public static int InOrder(Entry one, Entry other) => (!one.IsUrgent, one.Number).CompareTo((!other.IsUrgent, other.Number));
    }
}
