using System.Collections.Concurrent;
using System.Globalization;
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
/// up again, and a list that finds an object missing announces its end. A change that a watch sends again is no change: versions of
/// one resource can be compared as numbers (kubernetes.io, "Resource versions").
/// </summary>
/// <param name="keep">What of an object is kept, and announced. Null: all of it.</param>
public sealed partial class Informer<T>(ResourceClient<T> client, string? @namespace, string? selector, TimeProvider time, ILogger logger, Func<T, T>? keep = null) : IInformer
    where T : class
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LastDelay = TimeSpan.FromSeconds(5);

    /// <summary>A watch that is silent for longer is dead, though its connection may not know: the server ends each one sooner.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(ResourceClient<T>.WatchSeconds + 30);
    private static readonly TimeSpan LongestPause = LongestSilence + 4 * KubernetesConnection.RequestTimeout;
    private readonly ConcurrentDictionary<ResourceKey, (string Version, T Value)> _cache = new();
    private readonly TaskCompletionSource _synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastSign;
    private long _heard;
    private long _restarts;

    public string Resource => client.Plural;

    public Task Synced => _synced.Task;

    public long Restarts => Interlocked.Read(ref _restarts);

    public bool IsStuck => Interlocked.Read(ref _lastSign) is var sign and not 0 && time.GetElapsedTime(sign) > LongestPause;

    public IReadOnlyCollection<T> All => [.. _cache.Values.Select(entry => entry.Value)];

    public T? Get(ResourceKey key) => _cache.TryGetValue(key, out var entry) ? entry.Value : null;

    /// <summary>Follows until cancelled. <paramref name="onChange"/> gets the key, the old and the new state (null: none).</summary>
    public async Task RunAsync(Action<ResourceKey, T?, T?> onChange, CancellationToken ct)
    {
        for (var (delay, isFirst) = (FirstDelay, true); ; isFirst = false)
        {
            var heard = _heard;
            try
            {
                Interlocked.Add(ref _restarts, isFirst ? 0 : 1);
                GiveSign();
                var (items, version) = await client.ListAsync(@namespace, selector, item => (new ResourceHead(KeyOf(item), (string)item["metadata"]!["resourceVersion"]!), JsonSerializer.SerializeToUtf8Bytes(item)), ct);
                Replace(items, onChange);
                _synced.TrySetResult();
                await FollowAsync(version, onChange, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                throw;
            }
            catch (KubernetesApiException e) when (e.IsGone && _heard > heard)
            {
                // The history no longer reaches back so far: list again.
            }
            catch (Exception e) when (e is HttpRequestException or IOException or KubernetesApiException or OperationCanceledException)
            {
                delay = _heard > heard ? FirstDelay : delay;
                var wait = e is KubernetesApiException { RetryAfter: { } asked } && asked > delay ? asked : delay;
                LogLost(logger, typeof(T).Name, e.Message, wait.TotalSeconds);
                await Task.Delay(wait, time, ct);
                delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, LastDelay.Ticks));
            }
        }
    }

    /// <summary>One watch after the other, as long as the server ends them in order.</summary>
    private async Task FollowAsync(string version, Action<ResourceKey, T?, T?> onChange, CancellationToken ct)
    {
        while (true)
        {
            var (began, heard) = (time.GetTimestamp(), _heard);
            using var silence = new CancellationTokenSource(LongestSilence, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, silence.Token);
            try
            {
                await foreach (var change in client.WatchAsync(@namespace, selector, version, either.Token))
                {
                    silence.CancelAfter(LongestSilence);
                    GiveSign();
                    _heard++;
                    version = Take(change, version, onChange);
                }
            }
            catch (OperationCanceledException e) when (silence.IsCancellationRequested && !ct.IsCancellationRequested)
            {
                throw new IOException($"the watch has said nothing for {LongestSilence.TotalSeconds:0} s", e);
            }

            if (_heard == heard && time.GetElapsedTime(began) < TimeSpan.FromSeconds(1))
            {
                // Something between here and the server ends what it should let through; do not ask without a pause.
                throw new IOException("the watch ended at once");
            }
        }
    }

    /// <summary>The version after the change; what is not newer than <paramref name="version"/> was heard before.</summary>
    private string Take(WatchEvent change, string version, Action<ResourceKey, T?, T?> onChange)
    {
        var next = change.Version;
        if (ulong.TryParse(next, CultureInfo.InvariantCulture, out var now) && ulong.TryParse(version, CultureInfo.InvariantCulture, out var before) && now <= before)
        {
            return version;
        }

        if (change.Type == "DELETED")
        {
            Remove(change.Head.Key, onChange);
        }
        else if (change.Type != "BOOKMARK")
        {
            Put(change.Head, change.Parse<T>, onChange);
        }

        return next;
    }

    private void GiveSign() => Interlocked.Exchange(ref _lastSign, Math.Max(1, time.GetTimestamp()));

    /// <param name="items">In a form that takes little memory: there may be very many.</param>
    private void Replace(IReadOnlyList<(ResourceHead Head, byte[] Json)> items, Action<ResourceKey, T?, T?> onChange)
    {
        var listed = items.Select(item => item.Head.Key).ToHashSet();
        foreach (var missing in _cache.Keys.Where(key => !listed.Contains(key)).ToList())
        {
            Remove(missing, onChange);
        }

        foreach (var (head, json) in items)
        {
            Put(head, () => ResourceJson.Parse<T>(json), onChange);
        }
    }

    private void Put(ResourceHead head, Func<T> read, Action<ResourceKey, T?, T?> onChange)
    {
        var (key, version) = head;
        _cache.TryGetValue(key, out var old);
        if (old.Version == version)
        {
            return;
        }

        T now;
        try
        {
            now = read();
            now = keep?.Invoke(now) ?? now;
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
