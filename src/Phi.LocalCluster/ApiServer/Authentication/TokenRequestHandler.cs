using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Http;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authentication;

/// <summary>The subresource <c>token</c> of a service account (authentication.k8s.io/v1 TokenRequest).</summary>
internal sealed class TokenRequestHandler(ResourceService service, ServiceAccountTokens tokens, TimeProvider clock)
{
    private const long DefaultSeconds = 3600;
    private const long MinimumSeconds = 600;
    private const long MaximumSeconds = 1L << 32;

    /// <summary>False if the request is none of these.</summary>
    public async Task<bool> TryHandleAsync(ApiRequest request)
    {
        if (request.Type != BuiltInResources.ServiceAccounts || request.Subresource != "token" || request.Http.Request.Method != "POST")
        {
            return false;
        }

        var body = await Replies.ReadObjectAsync(request.Http);
        var account = service.Get(request.Type, request.Key);
        var spec = body["spec"] as JsonObject ?? [];
        var seconds = (long?)spec["expirationSeconds"] ?? DefaultSeconds;
        if (seconds is < MinimumSeconds or > MaximumSeconds)
        {
            var rule = seconds < MinimumSeconds ? "may not specify a duration less than 10 minutes" : "may not specify a duration larger than 2^32 seconds";
            throw ApiException.Invalid("authentication.k8s.io", "TokenRequest", request.Name!, [FieldError.Invalid("spec.expirationSeconds", $"{seconds}", rule)]);
        }

        var audiences = (spec["audiences"] as JsonArray ?? []).Select(audience => (string)audience!).ToList();
        audiences = audiences.Count == 0 ? [ServiceAccountTokens.Issuer] : audiences;
        var token = tokens.Issue(account, audiences, TimeSpan.FromSeconds(seconds), spec["boundObjectRef"] is JsonObject bound ? Bound(request, bound) : []);
        var now = clock.GetUtcNow();
        var full = new JsonObject { ["audiences"] = new JsonArray([.. audiences.Select(audience => (JsonNode?)audience)]), ["expirationSeconds"] = seconds, ["boundObjectRef"] = spec["boundObjectRef"]?.DeepClone() };
        await Replies.WriteAsync(
            request.Http,
            new JsonObject
            {
                ["kind"] = "TokenRequest",
                ["apiVersion"] = "authentication.k8s.io/v1",
                ["metadata"] = new JsonObject { ["name"] = request.Name, ["namespace"] = request.Namespace, ["creationTimestamp"] = ManagedFields.Stamp(now) },
                ["spec"] = full,
                ["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = ManagedFields.Stamp(now.AddSeconds(seconds)) },
            },
            201);
        return true;
    }

    private List<(string Claim, JsonObject Object)> Bound(ApiRequest request, JsonObject reference)
    {
        var (type, claim) = ((string?)reference["apiVersion"], (string?)reference["kind"]) switch
        {
            ("v1", "Pod") => (BuiltInResources.Pods, "pod"),
            ("v1", "Secret") => (BuiltInResources.Secrets, "secret"),
            ("v1", "Node") => (BuiltInResources.Nodes, "node"),
            var (version, kind) => throw ApiException.BadRequest($"cannot bind token to object of type {version}, Kind={kind}"),
        };
        var found = service.Get(type, new ObjectKey(type.Namespaced ? request.Namespace! : "", (string?)reference["name"] ?? ""));
        if ((string?)reference["uid"] is { Length: > 0 } uid && uid != (string?)found["metadata"]!["uid"])
        {
            throw ApiException.Conflict(type.Resource, (string)reference["name"]!, $"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have been deleted and then recreated");
        }

        if (type != BuiltInResources.Pods)
        {
            return [(claim, found)];
        }

        if (((string?)found["spec"]!["serviceAccountName"] ?? "default") != request.Name)
        {
            throw ApiException.BadRequest($"cannot bind token for serviceaccount \"{request.Name}\" to pod running with different serviceaccount name.");
        }

        return (string?)found["spec"]!["nodeName"] is { Length: > 0 } node && service.Store.Get(BuiltInResources.Nodes.Storage, new ObjectKey("", node)) is { } home
            ? [(claim, found), ("node", home)]
            : [(claim, found)];
    }
}
