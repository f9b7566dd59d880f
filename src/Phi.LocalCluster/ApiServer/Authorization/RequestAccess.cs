using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>
/// The user of a request, and the checks that need to see the object: nobody may write a role or a binding that grants more than the
/// user has, unless the user may <c>escalate</c> the role or <c>bind</c> it.
/// </summary>
internal sealed class RequestAccess(UserInfo user, Rbac rbac)
{
    private static readonly JsonObject[] Everything =
    [
        new() { ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*"), ["verbs"] = new JsonArray("*") },
        new() { ["nonResourceURLs"] = new JsonArray("*"), ["verbs"] = new JsonArray("*") },
    ];

    public UserInfo User => user;

    /// <exception cref="ApiException">403.</exception>
    public void Require(AccessAttributes wanted)
    {
        if (!rbac.Allows(wanted))
        {
            throw wanted.Refusal();
        }
    }

    /// <summary>An apply that finds no object is a create.</summary>
    public void RequireCreate(ResourceType type, ObjectKey key) =>
        Require(new AccessAttributes(user, "create") { Namespace = key.Namespace, Group = type.Group, Resource = type.Plural, Name = key.Name });

    /// <param name="old">Null for a new object.</param>
    public void CheckWrite(ResourceType type, JsonObject value, JsonObject? old)
    {
        if (type.Group != Rbac.Group || user.IsMaster)
        {
            return;
        }

        var (name, @namespace) = ((string)value["metadata"]!["name"]!, (string?)value["metadata"]!["namespace"] ?? "");
        if (value["roleRef"] is { } roleRef)
        {
            CheckBinding(type, value, old, roleRef, name, @namespace);
        }
        else if (!Same(value, old, "rules") || !Same(value, old, "aggregationRule"))
        {
            var granted = value["aggregationRule"] is not null && !Same(value, old, "aggregationRule") ? Everything : Rbac.OfRole(value);
            if (!rbac.Allows(new AccessAttributes(user, "escalate") { Namespace = @namespace, Group = Rbac.Group, Resource = type.Plural, Name = name }))
            {
                Refuse(type, name, @namespace, granted);
            }
        }
    }

    private void CheckBinding(ResourceType type, JsonObject value, JsonObject? old, JsonNode roleRef, string name, string @namespace)
    {
        if (Same(value, old, "roleRef") && Same(value, old, "subjects"))
        {
            return;
        }

        var isCluster = (string?)roleRef["kind"] == "ClusterRole";
        var role = (string)roleRef["name"]!;
        if (rbac.Allows(new AccessAttributes(user, "bind") { Namespace = @namespace, Group = Rbac.Group, Resource = isCluster ? "clusterroles" : "roles", Name = role }))
        {
            return;
        }

        Refuse(type, name, @namespace, rbac.RoleRules(roleRef, @namespace) ?? throw ApiException.NotFound($"{(isCluster ? "clusterroles" : "roles")}.{Rbac.Group}", role));
    }

    private void Refuse(ResourceType type, string name, string @namespace, IEnumerable<JsonNode> granted)
    {
        var missing = PolicyRules.Missing([.. rbac.Rules(user, @namespace)], granted);
        if (missing.Count > 0)
        {
            throw ApiException.Forbidden(type.Resource, name, $"user \"{user.Name}\" (groups={PolicyRules.Quote(user.Groups)}) is attempting to grant RBAC permissions not currently held:\n{string.Join('\n', missing.Select(PolicyRules.Show))}");
        }
    }

    private static bool Same(JsonObject value, JsonObject? old, string field) => old is not null && JsonNode.DeepEquals(value[field], old[field]);
}
