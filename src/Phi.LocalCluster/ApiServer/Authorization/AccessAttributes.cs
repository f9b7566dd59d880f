using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Http;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>What a user wants to do: a verb on a resource, or on a path that is none.</summary>
internal sealed record AccessAttributes(UserInfo User, string Verb)
{
    /// <summary>Empty: cluster-scoped, or all namespaces.</summary>
    public string Namespace { get; init; } = "";
    public string Group { get; init; } = "";
    public string Resource { get; init; } = "";
    public string Subresource { get; init; } = "";
    public string Name { get; init; } = "";
    /// <summary>Set for a request that is for no resource.</summary>
    public string? Path { get; init; }

    /// <summary>The resource as rules name it: pods, pods/log.</summary>
    public string FullResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    /// <summary>kubernetes.io, "Determine the Request Verb". A list of one name is one of that object.</summary>
    public static AccessAttributes Of(ApiRequest request, UserInfo user)
    {
        var verb = request.Http.Request.Method switch
        {
            "GET" or "HEAD" => request.Subresource is null && request.Flag("watch") ? "watch" : request.Name is null ? "list" : "get",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => request.Name is null ? "deletecollection" : "delete",
            var other => other.ToLowerInvariant(),
        };
        const string ByName = "metadata.name=";
        var selected = verb is "list" or "watch" or "deletecollection"
            ? (request.Query("fieldSelector") ?? "").Split(',').FirstOrDefault(term => term.StartsWith(ByName, StringComparison.Ordinal))?[ByName.Length..].TrimStart('=')
            : null;
        return new AccessAttributes(user, verb)
        {
            Namespace = request.Namespace ?? (request.Type == BuiltInResources.Namespaces ? request.Name ?? "" : ""),
            Group = request.Type.Group,
            Resource = request.Type.Plural,
            Subresource = request.Subresource ?? "",
            Name = request.Name ?? selected ?? "",
        };
    }

    /// <summary>403 in Kubernetes' words.</summary>
    public ApiException Refusal()
    {
        if (Path is not null)
        {
            return new ApiException(403, "Forbidden", $"forbidden: User \"{User.Name}\" cannot {Verb} path \"{Path}\"", new JsonObject());
        }

        var where = Namespace.Length == 0 ? "at the cluster scope" : $"in the namespace \"{Namespace}\"";
        var resource = Group.Length == 0 ? Resource : $"{Resource}.{Group}";
        var what = Name.Length == 0 ? resource : $"{resource} \"{Name}\"";
        return new ApiException(
            403,
            "Forbidden",
            $"{what} is forbidden: User \"{User.Name}\" cannot {Verb} resource \"{FullResource}\" in API group \"{Group}\" {where}",
            new JsonObject { ["name"] = Name.Length == 0 ? null : Name, ["group"] = Group.Length == 0 ? null : Group, ["kind"] = Resource });
    }
}
