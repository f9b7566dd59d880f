using System.Net.Http.Headers;
using System.Net.Security;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Disruption;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>A pod's binding, eviction and log; logs come from the kubelet endpoint of the pod's node.</summary>
internal sealed class PodHandler(ResourceService service, TimeProvider clock, string nodeToken) : IDisposable
{
    private readonly EvictionHandler _evictions = new(service, clock);
    private readonly HttpClient _nodes = new(new SocketsHttpHandler
    {
        // Nodes of this machine, on loopback, with certificates that they sign themselves.
        SslOptions = { RemoteCertificateValidationCallback = (stream, _, _, _) => stream is SslStream { TargetHostName: "127.0.0.1" } },
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>False if the request is none of these.</summary>
    public async Task<bool> TryHandleAsync(ApiRequest request)
    {
        if (request.Type != BuiltInResources.Pods || request.Name is null)
        {
            return false;
        }

        switch (request.Http.Request.Method, request.Subresource)
        {
            case ("POST", "binding"):
                await BindAsync(request);
                return true;
            case ("POST", "eviction"):
                await _evictions.HandleAsync(request);
                return true;
            case ("GET", "log"):
                await LogAsync(request);
                return true;
            default:
                return false;
        }
    }

    public void Dispose() => _nodes.Dispose();

    private async Task BindAsync(ApiRequest request)
    {
        var body = await Replies.ReadObjectAsync(request.Http);
        var node = (string?)body["target"]?["name"];
        if (string.IsNullOrEmpty(node))
        {
            throw ApiException.Invalid("", "Binding", request.Name!, [FieldError.Required("target.name")]);
        }

        service.Store.TryChange(BuiltInResources.Pods, request.Key, pod =>
        {
            if ((string?)pod["spec"]!["nodeName"] is { Length: > 0 } bound)
            {
                throw ApiException.Conflict("pods/binding", request.Name!, $"pod {request.Name} is already assigned to node \"{bound}\"");
            }

            if (pod["metadata"]!["deletionTimestamp"] is not null)
            {
                throw ApiException.Conflict("pods/binding", request.Name!, $"pod {request.Name} is being deleted, cannot be assigned to a host");
            }

            if (pod["spec"]!["schedulingGates"] is JsonArray { Count: > 0 })
            {
                throw ApiException.Conflict("pods/binding", request.Name!, $"pod {request.Name} has non-empty .spec.schedulingGates");
            }

            pod["spec"]!["nodeName"] = node;
            var conditions = (pod["status"]!["conditions"] ??= new JsonArray()).AsArray();
            conditions.RemoveAll(condition => (string?)condition?["type"] == "PodScheduled");
            conditions.Add((JsonNode)new JsonObject { ["type"] = "PodScheduled", ["status"] = "True", ["lastTransitionTime"] = ManagedFields.Stamp(clock.GetUtcNow()) });
        });
        await Replies.WriteAsync(request.Http, Success(), 201);
    }

    private async Task LogAsync(ApiRequest request)
    {
        var pod = service.Get(request.Type, request.Key);
        var containers = (pod["spec"]!["containers"] as JsonArray ?? []).Select(item => (string)item!["name"]!).ToList();
        var container = request.Query("container") is { Length: > 0 } asked ? asked : containers[0];
        var inits = (pod["spec"]!["initContainers"] as JsonArray ?? []).Select(item => (string)item!["name"]!);
        if (!containers.Concat(inits).Contains(container))
        {
            throw ApiException.BadRequest($"container {container} is not valid for pod {request.Name}");
        }

        if ((string?)pod["spec"]!["nodeName"] is not { Length: > 0 } node)
        {
            throw ApiException.BadRequest($"pod {request.Name} does not have a host assigned");
        }

        var port = (int?)service.Store.Get("nodes", new ObjectKey("", node))?["status"]?["daemonEndpoints"]?["kubeletEndpoint"]?["Port"]
            ?? throw new ApiException(500, "InternalError", $"node \"{node}\" of pod \"{request.Name}\" has no kubelet endpoint");
        var url = $"https://127.0.0.1:{port}/containerLogs/{Uri.EscapeDataString(request.Namespace!)}/{Uri.EscapeDataString(request.Name!)}/{Uri.EscapeDataString(container)}{request.Http.Request.QueryString}";
        using var ask = new HttpRequestMessage(HttpMethod.Get, url);
        ask.Headers.Authorization = new AuthenticationHeaderValue("Bearer", nodeToken);
        try
        {
            using var answer = await _nodes.SendAsync(ask, HttpCompletionOption.ResponseHeadersRead, request.Http.RequestAborted);
            request.Http.Response.StatusCode = (int)answer.StatusCode;
            if (!answer.IsSuccessStatusCode)
            {
                throw ApiException.BadRequest(await answer.Content.ReadAsStringAsync(request.Http.RequestAborted));
            }

            request.Http.Response.ContentType = "text/plain";
            await using var log = await answer.Content.ReadAsStreamAsync(request.Http.RequestAborted);
            await PumpAsync(log, request.Http);
        }
        catch (HttpRequestException e)
        {
            throw new ApiException(500, "InternalError", $"Get \"{url}\": {e.Message}");
        }
    }

    /// <summary>Every piece is passed on as it comes, so that a follower sees lines when they are written.</summary>
    private static async Task PumpAsync(Stream log, HttpContext http)
    {
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await log.ReadAsync(buffer, http.RequestAborted)) > 0)
        {
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }

    private static JsonObject Success() => new() { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201 };
}
