using Microsoft.AspNetCore.Http;
using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Http;

/// <summary>A resource path, taken apart: /apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE.</summary>
internal sealed record ApiRequest(HttpContext Http, ResourceType Type, string? Namespace, string? Name, string? Subresource)
{
    public ObjectKey Key => new(Namespace ?? "", Name!);

    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var value) ? (string?)value : null;

    public bool Flag(string name) => Query(name) is "true" or "1" or "True";

    /// <summary>Null if the path names no resource that is served.</summary>
    public static ApiRequest? Parse(HttpContext http, ResourceCatalog catalog)
    {
        var parts = http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var (group, version, rest) = parts switch
        {
            ["api", var v, .. var more] => ("", v, more),
            ["apis", var g, var v, .. var more] => (g, v, more),
            _ => ("", "", []),
        };
        var @namespace = (string?)null;
        if (rest is ["namespaces", var ns, var plural, ..] && plural is not ("status" or "finalize"))
        {
            (@namespace, rest) = (ns, rest[2..]);
        }

        if (rest.Length is 0 or > 3 || catalog.Find(group, version, rest[0]) is not { } type)
        {
            return null;
        }

        var name = rest.Length > 1 ? Uri.UnescapeDataString(rest[1]) : null;
        return type.Namespaced == (@namespace is not null) || (type.Namespaced && name is null)
            ? new ApiRequest(http, type, @namespace, name, rest.Length > 2 ? rest[2] : null)
            : null;
    }

    public WriteOptions WriteOptions() => new(
        Query("fieldManager") is { Length: > 0 } manager ? manager : Agent(),
        Query("dryRun") == "All",
        Query("fieldValidation") switch
        {
            "Strict" => FieldValidation.Strict,
            "Ignore" => FieldValidation.Ignore,
            _ => FieldValidation.Warn,
        },
        Flag("force"))
    {
        Access = Http.Features.Get<RequestAccess>(),
    };

    private string Agent() => ((string?)Http.Request.Headers.UserAgent ?? "").Split('/')[0] is { Length: > 0 } agent ? agent : "unknown";
}
