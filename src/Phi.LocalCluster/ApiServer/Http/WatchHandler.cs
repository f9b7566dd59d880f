using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>Streams the changes of a resource, one JSON object a line (kubernetes.io, "Efficient detection of changes").</summary>
internal sealed class WatchHandler(ResourceService service, TimeProvider clock, CancellationToken stopping)
{
    private const int FlushBytes = 1 << 16;
    private static readonly TimeSpan BookmarkPeriod = TimeSpan.FromSeconds(30);

    public async Task HandleAsync(ApiRequest request)
    {
        var selectors = Selectors.Parse(request.Query("labelSelector"), request.Name is { } name ? $"metadata.name={name}" : request.Query("fieldSelector"));
        var version = request.Query("resourceVersion");
        var wantsInitial = request.Flag("sendInitialEvents");
        var isFromNow = version is null or "" or "0" || wantsInitial;
        if (!isFromNow && !long.TryParse(version, CultureInfo.InvariantCulture, out _))
        {
            throw ApiException.BadRequest($"invalid resource version \"{version}\"");
        }

        var (initial, start) = service.Store.List(request.Type.Storage, request.Namespace);
        var after = isFromNow ? start : long.Parse(version!, CultureInfo.InvariantCulture);
        using var subscription = service.Store.Subscribe(request.Type.Storage, after);
        var http = request.Http;
        http.Response.ContentType = "application/json";
        if (subscription is null)
        {
            await SendAsync(request, "ERROR", ApiException.Expired($"too old resource version: {after}").ToStatus());
            await http.Response.BodyWriter.FlushAsync(request.Http.RequestAborted);
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        if (double.TryParse(request.Query("timeoutSeconds"), CultureInfo.InvariantCulture, out var seconds) && seconds > 0)
        {
            ending.CancelAfter(TimeSpan.FromSeconds(seconds));
        }

        await http.Response.StartAsync(ending.Token);
        var printed = new Printer(request, clock);
        if (isFromNow && request.Query("sendInitialEvents") != "false")
        {
            foreach (var item in initial.Where(item => selectors.Match(ObjectView.Of(request.Type, item))))
            {
                await SendAsync(request, "ADDED", printed.Print(item));
            }

            if (wantsInitial && request.Flag("allowWatchBookmarks"))
            {
                await SendAsync(request, "BOOKMARK", Bookmark(request, start, isInitialEnd: true));
            }
        }

        await http.Response.BodyWriter.FlushAsync(ending.Token);
        try
        {
            await FollowAsync(request, subscription, selectors, printed, ending.Token);
        }
        catch (OperationCanceledException)
        {
            // The client went, its time was up, the server stops, or the definition is another now.
        }
    }

    private async Task FollowAsync(ApiRequest request, ObjectStore.Subscription subscription, Selectors selectors, Printer printed, CancellationToken ct)
    {
        var bookmarks = request.Flag("allowWatchBookmarks");
        Task<bool> more;
        do
        {
            await DrainAsync();
            more = subscription.Events.WaitToReadAsync(ct).AsTask();
            while (bookmarks && await Task.WhenAny(more, request.Type.Ended, Task.Delay(BookmarkPeriod, clock, ct)) != more && !request.Type.Ended.IsCompleted)
            {
                ct.ThrowIfCancellationRequested();

                // The version first: every change up to it is then in the subscription, and is sent before the bookmark.
                var version = service.Store.Version;
                await DrainAsync();
                if (!request.Type.Ended.IsCompleted)
                {
                    await SendAsync(request, "BOOKMARK", Bookmark(request, version, isInitialEnd: false));
                    await request.Http.Response.BodyWriter.FlushAsync(ct);
                }
            }

            await Task.WhenAny(more, request.Type.Ended);
        }
        while (!request.Type.Ended.IsCompleted && await more);

        // What went with its definition is told still.
        await DrainAsync();

        async Task DrainAsync()
        {
            while (subscription.Events.TryRead(out var change))
            {
                if (request.Type.Ended.IsCompleted && service.Catalog.Find(request.Type.Group, request.Type.Version, request.Type.Plural) is not null)
                {
                    // Its definition has changed: as kube-apiserver does, this watch ends, and the next one brings the rest as it is shown then.
                    return;
                }

                if (Classify(request, change, selectors) is not { } type)
                {
                    continue;
                }

                if (printed.IsAsStored(change.Object))
                {
                    await SendAsync(request, type, change.Json);
                }
                else
                {
                    await SendAsync(request, type, printed.Print(change.Object));
                }
            }

            await request.Http.Response.BodyWriter.FlushAsync(ct);
        }
    }

    /// <summary>An object that stops matching the selector is gone for this watcher, one that starts to is new.</summary>
    private static string? Classify(ApiRequest request, StoreEvent change, Selectors selectors)
    {
        if (request.Namespace is { } wanted && change.Key.Namespace != wanted)
        {
            return null;
        }

        var was = change.Previous is { } previous && (selectors.IsEverything || selectors.Match(ObjectView.Of(request.Type, previous)));
        var isMatch = change.Type != StoreEventType.Deleted && (selectors.IsEverything || selectors.Match(ObjectView.Of(request.Type, change.Object)));
        return (was, isMatch) switch
        {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            _ => null,
        };
    }

    private static JsonObject Bookmark(ApiRequest request, long version, bool isInitialEnd)
    {
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (isInitialEnd)
        {
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        }

        return new JsonObject { ["kind"] = request.Type.Kind, ["apiVersion"] = request.Type.ApiVersion, ["metadata"] = metadata };
    }

    private static Task SendAsync(ApiRequest request, string type, JsonObject value) => SendAsync(request, type, JsonSerializer.SerializeToUtf8Bytes(value, Replies.Json));

    /// <summary>Left in the pipe: whoever has sent the last one flushes.</summary>
    private static async Task SendAsync(ApiRequest request, string type, ReadOnlyMemory<byte> json)
    {
        var pipe = request.Http.Response.BodyWriter;
        pipe.Write(Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\",\"object\":"));
        pipe.Write(json.Span);
        pipe.Write("}\n"u8);
        if (pipe.CanGetUnflushedBytes && pipe.UnflushedBytes > FlushBytes)
        {
            await pipe.FlushAsync(request.Http.RequestAborted);
        }
    }

    /// <summary>Objects as this watcher asked for them; a table's columns come with the first.</summary>
    private sealed class Printer(ApiRequest request, TimeProvider clock)
    {
        private readonly bool _isTable = Tables.IsWanted(request.Http.Request.Headers.Accept);
        private bool _isFirst = true;

        /// <summary>Whether the stored text is what this watcher wants.</summary>
        public bool IsAsStored(JsonObject value) => !_isTable && ReferenceEquals(ObjectView.Of(request.Type, value), value);

        public JsonObject Print(JsonObject value)
        {
            var shown = ObjectView.Of(request.Type, value);
            if (!_isTable)
            {
                return shown.DeepClone().AsObject();
            }

            var metadata = new JsonObject { ["resourceVersion"] = shown["metadata"]!["resourceVersion"]?.DeepClone() };
            var table = Tables.Of(request.Type, [shown], metadata, request.Query("includeObject"), clock.GetUtcNow(), _isFirst);
            _isFirst = false;
            return table;
        }
    }
}
