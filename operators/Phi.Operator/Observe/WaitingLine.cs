using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Operator.Observe;

/// <summary>Jobs that wait for a place, by accelerator type, in their order: higher priority first, then the older.</summary>
internal sealed class WaitingLine
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ResourceKey, (string Type, Entry Entry)> _entries = [];
    private readonly Dictionary<string, SortedSet<Entry>> _lines = new(StringComparer.Ordinal);

    private readonly record struct Entry(int Priority, DateTimeOffset Since, ResourceKey Key, bool IsQueued) : IComparable<Entry>
    {
        public int CompareTo(Entry other) =>
            Priority != other.Priority ? other.Priority.CompareTo(Priority)
            : Since != other.Since ? Since.CompareTo(other.Since)
            : string.Compare(Key.ToString(), other.Key.ToString(), false, CultureInfo.InvariantCulture);
    }

    /// <summary>Takes a job's state in; null: it is gone.</summary>
    /// <param name="isQueued">It has a queue, which has an order of its own.</param>
    public void Change(ResourceKey key, TrainingJob? job, int priority, bool isQueued)
    {
        lock (_lock)
        {
            if (_entries.Remove(key, out var old) && _lines[old.Type].Remove(old.Entry) && _lines[old.Type].Count == 0)
            {
                _lines.Remove(old.Type);
            }

            // Whoever waits for another job's checkpoint must not have room kept that the other needs.
            if (job is { Spec.Suspend: not true, Metadata.DeletionTimestamp: null, Status.Phase: TrainingPhase.Pending or TrainingPhase.Restarting } && !InitializeSource.IsAwaited(job))
            {
                var (type, entry) = (job.Spec.Accelerator?.Type ?? "cpu", new Entry(priority, job.Metadata.CreationTimestamp ?? default, key, isQueued));
                _entries[key] = (type, entry);
                (_lines.TryGetValue(type, out var line) ? line : _lines[type] = []).Add(entry);
            }
        }
    }

    /// <summary>The first jobs without a queue that are before this one; if it is not in the line itself, those that are in it.</summary>
    public IReadOnlyList<ResourceKey> Before(string type, ResourceKey key, int most)
    {
        lock (_lock)
        {
            return _lines.TryGetValue(type, out var line) ? [.. line.TakeWhile(entry => entry.Key != key).Where(entry => !entry.IsQueued).Take(most).Select(entry => entry.Key)] : [];
        }
    }

    public IReadOnlyList<ResourceKey> First(string type, int most)
    {
        lock (_lock)
        {
            return _lines.TryGetValue(type, out var line) ? [.. line.Take(most).Select(entry => entry.Key)] : [];
        }
    }
}
