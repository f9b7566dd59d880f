using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Phi.LocalCluster.ApiServer.Patching;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>The verbs on a resource: get, list, create, update, patch, delete, deletecollection.</summary>
internal sealed class ResourceHandler(ResourceService service, TimeProvider clock)
{
    public Task HandleAsync(ApiRequest request) => (request.Http.Request.Method, request) switch
    {
        ("GET" or "HEAD", { Name: null }) => ListAsync(request),
        ("GET" or "HEAD", { Subresource: null or "status" }) => GetAsync(request),
        ("POST", { Name: null }) => CreateAsync(request),
        ("PUT", { Name: not null, Subresource: null or "status" }) => UpdateAsync(request),
        ("PATCH", { Name: not null, Subresource: null or "status" }) => PatchAsync(request),
        ("DELETE", { Name: not null, Subresource: null }) => DeleteAsync(request),
        ("DELETE", { Name: null }) => DeleteCollectionAsync(request),
        _ when request.Name is not null && request.Subresource is not null and not "status" => throw ApiException.NoSuchPath(),
        _ => throw new ApiException(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"),
    };

    private static ResourceType StoredAs(ResourceType type) => type.Group == "events.k8s.io" ? BuiltInResources.Events : type;

    private async Task GetAsync(ApiRequest request) => await ReplyAsync(request, service.Get(request.Type, request.Key));

    private async Task ListAsync(ApiRequest request)
    {
        var (items, version) = service.Store.List(request.Type.Storage, request.Namespace);
        var selectors = Selectors.Parse(request.Query("labelSelector"), request.Query("fieldSelector"));
        var shown = items.Select(item => ObjectView.Of(request.Type, item)).Where(selectors.Match).ToList();
        var metadata = new JsonObject { ["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture) };
        shown = Page(request, shown, metadata);
        if (Tables.IsWanted(request.Http.Request.Headers.Accept))
        {
            await Replies.WriteAsync(request.Http, Tables.Of(request.Type, shown, metadata, request.Query("includeObject"), clock.GetUtcNow()));
            return;
        }

        await Replies.WriteAsync(request.Http, new JsonObject
        {
            ["kind"] = $"{request.Type.Kind}List",
            ["apiVersion"] = request.Type.ApiVersion,
            ["metadata"] = metadata,
            ["items"] = new JsonArray([.. shown.Select(item => item.DeepClone())]),
        });
    }

    /// <summary>One page of <c>limit</c> items after the place that <c>continue</c> names.</summary>
    private static List<JsonObject> Page(ApiRequest request, List<JsonObject> items, JsonObject metadata)
    {
        if (request.Query("continue") is { Length: > 0 } token)
        {
            var last = Decode(token);
            items = [.. items.Where(item => ResourceService.KeyOf(item).CompareTo(last) > 0)];
        }

        if (!int.TryParse(request.Query("limit"), CultureInfo.InvariantCulture, out var limit) || limit <= 0 || items.Count <= limit)
        {
            return items;
        }

        var end = ResourceService.KeyOf(items[limit - 1]);
        metadata["continue"] = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{end.Namespace}/{end.Name}"));
        metadata["remainingItemCount"] = items.Count - limit;
        return items[..limit];
    }

    private static ObjectKey Decode(string token)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split('/') is [var @namespace, var name] ? new ObjectKey(@namespace, name) : throw new FormatException();
        }
        catch (FormatException)
        {
            throw ApiException.BadRequest("continue key is not valid");
        }
    }

    private async Task CreateAsync(ApiRequest request)
    {
        var body = await Replies.ReadObjectAsync(request.Http);
        if (request.Type.Namespaced && request.Namespace is null)
        {
            throw ApiException.BadRequest("a namespace is required");
        }

        var options = request.WriteOptions();
        body = request.Type == StoredAs(request.Type) ? body : EventConversion.ToCore(body);
        var created = service.Create(StoredAs(request.Type), request.Namespace ?? "", body, options);
        await ReplyAsync(request, created, 201, options);
    }

    private async Task UpdateAsync(ApiRequest request)
    {
        var body = await Replies.ReadObjectAsync(request.Http);
        var options = request.WriteOptions();
        body = request.Type == StoredAs(request.Type) ? body : EventConversion.ToCore(body);
        var updated = service.Update(StoredAs(request.Type), request.Key, body, request.Subresource, options);
        await ReplyAsync(request, updated, options: options);
    }

    private async Task PatchAsync(ApiRequest request)
    {
        var patch = await Replies.ReadAsync(request.Http);
        var options = request.WriteOptions();
        var contentType = (request.Http.Request.ContentType ?? "").Split(';')[0].Trim();
        if (contentType is "application/apply-patch+yaml" or "application/apply-patch+cbor")
        {
            if (request.Query("fieldManager") is null or "")
            {
                throw ApiException.BadRequest("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch");
            }

            var applied = patch as JsonObject ?? throw ApiException.BadRequest("an apply patch is an object with apiVersion, kind and metadata");
            if ((string?)applied["metadata"]?["name"] is { } name && name != request.Name)
            {
                throw ApiException.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Name})");
            }

            var (result, isNew) = service.Apply(request.Type, request.Key, applied, request.Subresource, options);
            await ReplyAsync(request, result, isNew ? 201 : 200, options);
            return;
        }

        if (options.Force)
        {
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Forbidden("force", "may not be specified for non-apply patch")]);
        }

        var updated = service.Change(StoredAs(request.Type), request.Key, request.Subresource, options with { IsPatch = true }, old =>
        {
            var patched = Patch(request.Type, contentType, ObjectView.Of(request.Type, old), patch);
            return request.Type == StoredAs(request.Type) ? patched : EventConversion.ToCore(patched);
        });
        await ReplyAsync(request, updated, options: options);
    }

    private static JsonObject Patch(ResourceType type, string contentType, JsonObject old, JsonNode? patch)
    {
        // The version in it is the one that was read, so the write is conditional only if the patch itself names another.
        var target = old.DeepClone().AsObject();
        try
        {
            var patched = contentType switch
            {
                "application/json-patch+json" => JsonPatch.Apply(target, patch),
                "application/merge-patch+json" => MergePatch.Apply(target, patch),
                "application/strategic-merge-patch+json" when !type.IsCustom => StrategicMergePatch.Apply(target, patch),
                _ => throw new ApiException(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml{(type.IsCustom ? "" : ", application/strategic-merge-patch+json")}"),
            };
            return patched as JsonObject ?? throw new PatchException("the patched value is no object");
        }
        catch (PatchException e)
        {
            throw new ApiException(422, "Invalid", $"the server rejected our request due to an error in our request: {e.Message}");
        }
    }

    private async Task DeleteAsync(ApiRequest request)
    {
        var options = await DeleteOptionsAsync(request);
        var (last, isGone) = service.Delete(request.Type, request.Key, options);
        if (!isGone || request.Type == BuiltInResources.Pods)
        {
            await ReplyAsync(request, last);
            return;
        }

        await Replies.WriteAsync(request.Http, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = new JsonObject { ["name"] = request.Name, ["group"] = request.Type.Group, ["kind"] = request.Type.Plural, ["uid"] = last["metadata"]!["uid"]?.DeepClone() },
        });
    }

    private async Task DeleteCollectionAsync(ApiRequest request)
    {
        var options = await DeleteOptionsAsync(request);
        var selectors = Selectors.Parse(request.Query("labelSelector"), request.Query("fieldSelector"));
        foreach (var item in service.Store.List(request.Type.Storage, request.Namespace).Items.Where(item => selectors.Match(ObjectView.Of(request.Type, item))))
        {
            try
            {
                service.Delete(request.Type, ResourceService.KeyOf(item), options);
            }
            catch (ApiException e) when (e.Code == 404)
            {
                // Gone meanwhile, which is what was asked for.
            }
        }

        await Replies.WriteAsync(request.Http, new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success" });
    }

    private static async Task<DeleteOptions> DeleteOptionsAsync(ApiRequest request)
    {
        var body = await Replies.ReadAsync(request.Http) as JsonObject;
        var grace = long.TryParse(request.Query("gracePeriodSeconds"), CultureInfo.InvariantCulture, out var seconds) ? seconds : (long?)null;
        return DeleteOptions.Parse(body, grace, request.Query("propagationPolicy"), request.Query("dryRun") == "All");
    }

    private async Task ReplyAsync(ApiRequest request, JsonObject value, int code = 200, WriteOptions? options = null)
    {
        Replies.Warn(request.Http, options?.Warnings ?? []);
        var shown = ObjectView.Of(request.Type, value);
        var reply = Tables.IsWanted(request.Http.Request.Headers.Accept)
            ? Tables.Of(request.Type, [shown], new JsonObject { ["resourceVersion"] = shown["metadata"]!["resourceVersion"]?.DeepClone() }, request.Query("includeObject"), clock.GetUtcNow())
            : shown;
        await Replies.WriteAsync(request.Http, reply, code);
    }
}
