using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Phi.Kubernetes;

/// <summary>Objects of one resource, typed.</summary>
/// <param name="group">Empty for the core group.</param>
public sealed class ResourceClient<T>(KubernetesConnection connection, string group, string version, string plural)
{
    private const string Json = "application/json";

    /// <summary>Seconds after which the server is asked to end a watch.</summary>
    internal const int WatchSeconds = 300;

    /// <summary>As the path names it, such as <c>pods</c>.</summary>
    public string Plural => plural;

    public async Task<T?> GetAsync(string @namespace, string name, CancellationToken ct)
    {
        try
        {
            return await SendAsync(HttpMethod.Get, Path(@namespace, name), null, Json, ct);
        }
        catch (KubernetesApiException e) when (e.IsNotFound)
        {
            return default;
        }
    }

    /// <summary>Every object (of the namespace), and the version from which a watch goes on.</summary>
    public Task<(IReadOnlyList<JsonObject> Items, string Version)> ListAsync(string? @namespace, string? selector, CancellationToken ct) => ListAsync(@namespace, selector, item => item, ct);

    /// <summary>What is wanted of every object; no more than a page of them is in memory at once.</summary>
    public async Task<(IReadOnlyList<TItem> Items, string Version)> ListAsync<TItem>(string? @namespace, string? selector, Func<JsonObject, TItem> read, CancellationToken ct)
    {
        var items = new List<TItem>();
        for (var (next, limit) = ("", "limit=500"); ;)
        {
            JsonObject page;
            try
            {
                page = await connection.SendAsync(HttpMethod.Get, $"{Path(@namespace, null)}?{limit}{selector}{(next.Length > 0 ? $"&continue={Uri.EscapeDataString(next)}" : "")}", null, Json, ct);
            }
            catch (KubernetesApiException e) when (e.IsGone && next.Length > 0)
            {
                // The pages took longer than the server keeps their version: once more, in one piece, which cannot expire.
                items.Clear();
                (next, limit) = ("", "limit=0");
                continue;
            }
            catch (KubernetesApiException e) when (e.IsNotFound && group.Length > 0)
            {
                // Of a kind that it does not know the server says "404 page not found" alone.
                throw new KubernetesApiException(e.Code, e.Reason, $"the API server does not serve {plural} of {group}/{version}; apply the CustomResourceDefinition that defines them");
            }

            items.AddRange(page["items"]!.AsArray().Select(item => read(item!.AsObject())));
            next = (string?)page["metadata"]?["continue"] ?? "";
            if (next.Length == 0)
            {
                return (items, (string)page["metadata"]!["resourceVersion"]!);
            }
        }
    }

    /// <summary>Changes after a version until the server ends the watch.</summary>
    /// <exception cref="KubernetesApiException">Gone: the version is too old, list again.</exception>
    /// <exception cref="IOException">The connection broke, if need be in the middle of a line.</exception>
    public async IAsyncEnumerable<WatchEvent> WatchAsync(string? @namespace, string? selector, string version, [EnumeratorCancellation] CancellationToken ct)
    {
        using var response = await connection.OpenAsync($"{Path(@namespace, null)}?watch=true&allowWatchBookmarks=true&timeoutSeconds={WatchSeconds}&resourceVersion={version}{selector}", ct);
        await foreach (var change in WatchStream.ReadAsync(await response.Content.ReadAsStreamAsync(ct), typeof(T).Name, ct))
        {
            yield return change;
        }
    }

    public Task<T> CreateAsync(string @namespace, T value, string fieldManager, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, $"{Path(@namespace, null)}?fieldManager={fieldManager}", ResourceJson.Write(value), Json, ct);

    /// <summary>A manifest as a person wrote it: a field that the server does not know is an error.</summary>
    /// <param name="isDryRun">The server checks it, fills in defaults, and keeps nothing.</param>
    public Task<T> SubmitAsync(string @namespace, JsonObject manifest, string fieldManager, bool isDryRun, CancellationToken ct) =>
        SendAsync(HttpMethod.Post, $"{Path(@namespace, null)}?fieldManager={fieldManager}&fieldValidation=Strict{(isDryRun ? "&dryRun=All" : "")}", manifest, Json, ct);

    /// <summary>Server-side apply, forced: this product owns what it applies. A field that the server does not know is an error.</summary>
    /// <param name="subresource">Null, or <c>status</c>.</param>
    public Task<T> ApplyAsync(string @namespace, string name, JsonObject value, string fieldManager, string? subresource, CancellationToken ct) =>
        SendAsync(HttpMethod.Patch, $"{Path(@namespace, name, subresource)}?fieldManager={fieldManager}&force=true&fieldValidation=Strict", value, "application/apply-patch+yaml", ct);

    public Task<T> MergePatchAsync(string @namespace, string name, JsonObject patch, string fieldManager, string? subresource, CancellationToken ct) =>
        SendAsync(HttpMethod.Patch, $"{Path(@namespace, name, subresource)}?fieldManager={fieldManager}", patch, "application/merge-patch+json", ct);

    public Task<T> StrategicPatchAsync(string @namespace, string name, JsonObject patch, string fieldManager, string? subresource, CancellationToken ct) =>
        SendAsync(HttpMethod.Patch, $"{Path(@namespace, name, subresource)}?fieldManager={fieldManager}", patch, "application/strategic-merge-patch+json", ct);

    /// <summary>POST to a subresource, such as a pod's binding.</summary>
    public Task PostAsync(string @namespace, string name, string subresource, JsonObject body, CancellationToken ct) =>
        connection.SendAsync(HttpMethod.Post, Path(@namespace, name, subresource), body, Json, ct);

    /// <summary>False if it was not there (or not the object of that uid).</summary>
    public async Task<bool> DeleteAsync(string @namespace, string name, string? uid, long? gracePeriodSeconds, CancellationToken ct)
    {
        var options = new JsonObject { ["kind"] = "DeleteOptions", ["apiVersion"] = "v1", ["propagationPolicy"] = "Background" };
        if (uid is not null)
        {
            options["preconditions"] = new JsonObject { ["uid"] = uid };
        }

        if (gracePeriodSeconds is { } grace)
        {
            options["gracePeriodSeconds"] = grace;
        }

        try
        {
            await connection.SendAsync(HttpMethod.Delete, Path(@namespace, name), options, Json, ct);
            return true;
        }
        catch (KubernetesApiException e) when (e.IsNotFound || (uid is not null && e.IsConflict))
        {
            return false;
        }
    }

    private Task<T> SendAsync(HttpMethod method, string path, JsonObject? body, string contentType, CancellationToken ct) =>
        connection.SendAsync(method, path, body, contentType, ResourceJson.Parse<T>, ct);

    private string Path(string? @namespace, string? name, string? subresource = null) =>
        (group.Length == 0 ? $"api/{version}/" : $"apis/{group}/{version}/")
        + (string.IsNullOrEmpty(@namespace) ? "" : $"namespaces/{@namespace}/")
        + plural
        + (name is null ? "" : $"/{name}")
        + (subresource is null ? "" : $"/{subresource}");
}
