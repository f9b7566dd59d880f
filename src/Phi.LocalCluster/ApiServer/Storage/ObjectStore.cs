using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace Phi.LocalCluster.ApiServer.Storage;

/// <summary>
/// Every object of the cluster, in memory and in the journal. One counter gives each change its resourceVersion, as etcd's revision
/// does; a watch starts from any version that the history still holds.
/// </summary>
internal sealed class ObjectStore : IDisposable
{
    private const int HistoryLength = 5_000;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SortedDictionary<ObjectKey, JsonObject>> _resources = new(StringComparer.Ordinal);
    private readonly LinkedList<StoreEvent> _history = new();
    private readonly List<Subscription> _subscriptions = [];
    private readonly Journal _journal;
    private long _version;
    private long _oldestWatchable;

    public ObjectStore(string folder)
    {
        _journal = new Journal(folder);
        (_version, var objects) = _journal.Load();
        foreach (var (resource, key, value) in objects)
        {
            Of(resource)[key] = value;
        }

        // Version 0 means "any" in the API, so the first is 1. What happened before the start is not in the history.
        _version = Math.Max(1, _version);
        _oldestWatchable = _version;
        _journal.WriteSnapshot(_version, All());
    }

    public long Version
    {
        get
        {
            lock (_lock)
            {
                return _version;
            }
        }
    }

    public JsonObject? Get(string resource, ObjectKey key)
    {
        lock (_lock)
        {
            return Of(resource).GetValueOrDefault(key);
        }
    }

    /// <summary>Every object of a resource in key order, and the version of that state.</summary>
    public (IReadOnlyList<JsonObject> Items, long Version) List(string resource, string? @namespace = null)
    {
        lock (_lock)
        {
            return ([.. Of(resource).Where(pair => @namespace is null || pair.Key.Namespace == @namespace).Select(pair => pair.Value)], _version);
        }
    }

    /// <summary>Every object of every resource: for the garbage collector and for a namespace's end.</summary>
    public IReadOnlyList<(string Resource, ObjectKey Key, JsonObject Object)> Everything()
    {
        lock (_lock)
        {
            return [.. All()];
        }
    }

    /// <summary>Puts an object if what is there still is <paramref name="expected"/> (null: nothing). Null if it is not.</summary>
    public JsonObject? TryPut(string resource, ObjectKey key, JsonObject value, JsonObject? expected)
    {
        // Parsed from text, a number converts to any numeric type; one set by code only to its own.
        value = JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(value))!.AsObject();
        lock (_lock)
        {
            var current = Of(resource).GetValueOrDefault(key);
            if (!ReferenceEquals(current, expected))
            {
                return null;
            }

            Stamp(value);
            Of(resource)[key] = value;
            Publish(new StoreEvent(_version, current is null ? StoreEventType.Added : StoreEventType.Modified, resource, key, value, current));
            return value;
        }
    }

    /// <summary>Removes an object if it still is <paramref name="expected"/>. Null if it is not; else its last state.</summary>
    public JsonObject? TryRemove(string resource, ObjectKey key, JsonObject expected)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(Of(resource).GetValueOrDefault(key), expected))
            {
                return null;
            }

            Of(resource).Remove(key);
            var last = expected.DeepClone().AsObject();
            Stamp(last);
            Publish(new StoreEvent(_version, StoreEventType.Deleted, resource, key, last, expected));
            return last;
        }
    }

    /// <summary>Changes after a version, as they come. Null if the history no longer reaches back so far (410 Gone).</summary>
    public Subscription? Subscribe(string? resource, long afterVersion)
    {
        lock (_lock)
        {
            if (afterVersion < _oldestWatchable)
            {
                return null;
            }

            var subscription = new Subscription(this, resource);
            foreach (var past in _history.Where(past => past.Version > afterVersion))
            {
                subscription.Offer(past);
            }

            _subscriptions.Add(subscription);
            return subscription;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var subscription in _subscriptions)
            {
                subscription.Complete();
            }

            _subscriptions.Clear();
            _journal.WriteSnapshot(_version, All());
            _journal.Dispose();
        }
    }

    private void Stamp(JsonObject value) =>
        value["metadata"]!["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);

    private void Publish(StoreEvent change)
    {
        _journal.Append(change);
        _history.AddLast(change);
        if (_history.Count > HistoryLength)
        {
            _oldestWatchable = _history.First!.Value.Version;
            _history.RemoveFirst();
        }

        foreach (var subscription in _subscriptions)
        {
            subscription.Offer(change);
        }

        if (_journal.WantsSnapshot(_resources.Values.Sum(objects => objects.Count)))
        {
            _journal.WriteSnapshot(_version, All());
        }
    }

    private SortedDictionary<ObjectKey, JsonObject> Of(string resource)
    {
        if (!_resources.TryGetValue(resource, out var objects))
        {
            _resources[resource] = objects = [];
        }

        return objects;
    }

    private IEnumerable<(string Resource, ObjectKey Key, JsonObject Object)> All() =>
        _resources.SelectMany(resource => resource.Value.Select(pair => (resource.Key, pair.Key, pair.Value)));

    /// <summary>A reader of changes; disposing it ends the subscription.</summary>
    public sealed class Subscription : IDisposable
    {
        private readonly Channel<StoreEvent> _events = Channel.CreateUnbounded<StoreEvent>(new UnboundedChannelOptions { SingleReader = true });
        private readonly ObjectStore _store;
        private readonly string? _resource;

        internal Subscription(ObjectStore store, string? resource)
        {
            _store = store;
            _resource = resource;
        }

        /// <summary>Changes in order; completes when the store is disposed.</summary>
        public ChannelReader<StoreEvent> Events => _events.Reader;

        public void Dispose()
        {
            lock (_store._lock)
            {
                _store._subscriptions.Remove(this);
            }
        }

        internal void Offer(StoreEvent change)
        {
            if (_resource is null || change.Resource == _resource)
            {
                _events.Writer.TryWrite(change);
            }
        }

        internal void Complete() => _events.Writer.TryComplete();
    }
}
