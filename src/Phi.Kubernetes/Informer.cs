using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Phi.Kubernetes;

/// <summary>Namespace (empty for cluster-scoped) and name.</summary>
public readonly record struct ResourceKey(string Namespace, string Name)
{
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}

/// <summary>
/// A local copy of a resource, kept by list and watch. Changes are announced after they are in the copy; a lost connection is taken
/// up again, and a list that finds an object missing announces its end.
/// </summary>
public sealed partial class Informer<T>(ResourceClient<T> client, string? @namespace, string? selector, TimeProvider time, ILogger logger)
    where T : class
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastDelay = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<ResourceKey, (string Version, T Value)> _cache = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the first list is in the cache.</summary>
    public Task Synced => _synced.Task;

    public IReadOnlyCollection<T> All => [.. _cache.Values.Select(entry => entry.Value)];

    public T? Get(ResourceKey key) => _cache.TryGetValue(key, out var entry) ? entry.Value : null;

    /// <summary>Follows until cancelled. <paramref name="onChange"/> gets the key, the old and the new state (null: none).</summary>
    public async Task RunAsync(Action<ResourceKey, T?, T?> onChange, CancellationToken ct)
    {
        var delay = FirstDelay;
        while (true)
        {
            try
            {
                var (items, version) = await client.ListAsync(@namespace, selector, ct);
                Replace(items, onChange);
                _synced.TrySetResult();
                delay = FirstDelay;
                await FollowAsync(version, onChange, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                throw;
            }
            catch (KubernetesApiException e) when (e.IsGone)
            {
                // The history no longer reaches back so far: list again.
            }
            catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException or OperationCanceledException)
            {
                LogLost(logger, typeof(T).Name, e.Message, delay.TotalSeconds);
                await Task.Delay(delay, time, ct);
                delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LastDelay.Ticks));
            }
        }
    }

    /// <summary>One watch after the other, as long as the server ends them in order.</summary>
    private async Task FollowAsync(string version, Action<ResourceKey, T?, T?> onChange, CancellationToken ct)
    {
        while (true)
        {
            await foreach (var change in client.WatchAsync(@namespace, selector, version, ct))
            {
                version = (string)change.Object["metadata"]!["resourceVersion"]!;
                if (change.Type == "DELETED")
                {
                    Remove(KeyOf(change.Object), onChange);
                }
                else if (change.Type != "BOOKMARK")
                {
                    Put(change.Object, onChange);
                }
            }
        }
    }

    private void Replace(IReadOnlyList<JsonObject> items, Action<ResourceKey, T?, T?> onChange)
    {
        var listed = items.Select(KeyOf).ToHashSet();
        foreach (var missing in _cache.Keys.Where(key => !listed.Contains(key)).ToList())
        {
            Remove(missing, onChange);
        }

        foreach (var item in items)
        {
            Put(item, onChange);
        }
    }

    private void Put(JsonObject value, Action<ResourceKey, T?, T?> onChange)
    {
        var key = KeyOf(value);
        var version = (string)value["metadata"]!["resourceVersion"]!;
        _cache.TryGetValue(key, out var old);
        if (old.Version == version)
        {
            return;
        }

        T now;
        try
        {
            now = ResourceJson.Parse<T>(value);
        }
        catch (JsonException e)
        {
            // One object that cannot be read must not hide all others.
            LogUnreadable(logger, typeof(T).Name, key, e.Message);
            return;
        }

        _cache[key] = (version, now);
        onChange(key, old.Value, now);
    }

    private void Remove(ResourceKey key, Action<ResourceKey, T?, T?> onChange)
    {
        if (_cache.TryRemove(key, out var old))
        {
            onChange(key, old.Value, null);
        }
    }

    private static ResourceKey KeyOf(JsonObject value) => new((string?)value["metadata"]!["namespace"] ?? "", (string)value["metadata"]!["name"]!);

    [LoggerMessage(2, LogLevel.Error, "{Kind} {Key} cannot be read and is left out: {Problem}")]
    private static partial void LogUnreadable(ILogger logger, string kind, ResourceKey key, string problem);

    [LoggerMessage(1, LogLevel.Warning, "Lost the watch of {Kind}: {Problem}. Trying again in {Seconds} s.")]
    private static partial void LogLost(ILogger logger, string kind, string problem, double seconds);
}
