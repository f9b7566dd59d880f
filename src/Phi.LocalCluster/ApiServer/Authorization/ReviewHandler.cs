using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Http;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>The kinds that are questions: who a token is, what a user may do. They are answered and never stored.</summary>
internal sealed class ReviewHandler(Authenticator authenticator, Rbac rbac)
{
    /// <summary>False if the request is none of these.</summary>
    public async Task<bool> TryHandleAsync(ApiRequest request, UserInfo user)
    {
        if (!request.Type.IsReview)
        {
            return false;
        }

        if (request.Http.Request.Method != "POST" || request.Name is not null)
        {
            throw new ApiException(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        }

        var body = await Replies.ReadObjectAsync(request.Http);
        var spec = body["spec"] as JsonObject ?? [];
        body["status"] = request.Type.Kind switch
        {
            "TokenReview" => Token(spec),
            "SelfSubjectReview" => new JsonObject { ["userInfo"] = user.ToJson() },
            "SelfSubjectRulesReview" => Rules(user, (string?)spec["namespace"] ?? throw ApiException.BadRequest("no namespace on request")),
            "SelfSubjectAccessReview" => Access(request, spec, user),
            _ => Access(request, spec, Subject(request, spec)),
        };
        (body["apiVersion"], body["kind"]) = (request.Type.ApiVersion, request.Type.Kind);
        body["metadata"] ??= new JsonObject();
        await Replies.WriteAsync(request.Http, body, 201);
        return true;
    }

    private JsonObject Token(JsonObject spec)
    {
        var wanted = (spec["audiences"] as JsonArray ?? []).Select(audience => (string)audience!).ToList();
        return authenticator.Identify((string?)spec["token"] ?? "", wanted.Count == 0 ? [ServiceAccountTokens.Issuer] : wanted) is { } known
            ? new JsonObject { ["authenticated"] = true, ["user"] = known.User.ToJson(), ["audiences"] = new JsonArray([.. known.Audiences.Select(audience => (JsonNode?)audience)]) }
            : new JsonObject { ["user"] = new JsonObject(), ["error"] = "invalid bearer token" };
    }

    private JsonObject Access(ApiRequest request, JsonObject spec, UserInfo user)
    {
        var (resource, path) = (spec["resourceAttributes"], spec["nonResourceAttributes"]);
        if ((resource is null) == (path is null))
        {
            throw Invalid(request, "spec.resourceAttributes", "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        }

        if (request.Namespace is { } home && (string?)resource?["namespace"] != home)
        {
            throw Invalid(request, "spec.resourceAttributes.namespace", $"must match metadata.namespace \"{home}\", and a path cannot be asked for here");
        }

        string Text(string field) => (string?)(resource ?? path)![field] ?? "";
        var wanted = resource is null
            ? new AccessAttributes(user, Text("verb")) { Path = Text("path") }
            : new AccessAttributes(user, Text("verb")) { Namespace = Text("namespace"), Group = Text("group"), Resource = Text("resource"), Subresource = Text("subresource"), Name = Text("name") };
        return new JsonObject { ["allowed"] = rbac.Allows(wanted) };
    }

    private static UserInfo Subject(ApiRequest request, JsonObject spec)
    {
        var groups = (spec["groups"] as JsonArray ?? []).Select(group => (string)group!).ToList();
        var name = (string?)spec["user"] ?? "";
        return name.Length > 0 || groups.Count > 0 ? new UserInfo(name, groups) : throw Invalid(request, "spec.user", "at least one of user or group must be specified");
    }

    private JsonObject Rules(UserInfo user, string @namespace)
    {
        var rules = rbac.Rules(user, @namespace).ToList();
        return new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. rules.Where(rule => rule["resources"] is not null).Select(rule => rule.DeepClone())]),
            ["nonResourceRules"] = new JsonArray([.. rules.Where(rule => rule["nonResourceURLs"] is not null).Select(rule => rule.DeepClone())]),
            ["incomplete"] = false,
        };
    }

    private static ApiException Invalid(ApiRequest request, string field, string rule) =>
        ApiException.Invalid(request.Type.Group, request.Type.Kind, "", [FieldError.Invalid(field, null, rule)]);
}
