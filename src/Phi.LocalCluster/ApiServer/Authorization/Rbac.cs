using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>Role-based access control (kubernetes.io, "Using RBAC Authorization"), from the roles and bindings in the store.</summary>
internal sealed class Rbac(ObjectStore store)
{
    public const string Group = "rbac.authorization.k8s.io";

    public bool Allows(AccessAttributes wanted) => wanted.User.IsMaster || Rules(wanted.User, wanted.Namespace).Any(rule => PolicyRules.Allows(rule, wanted));

    /// <summary>Every rule that a user has in a namespace; with an empty one, those of the whole cluster alone.</summary>
    public IEnumerable<JsonNode> Rules(UserInfo user, string @namespace)
    {
        var bindings = store.List(BuiltInResources.ClusterRoleBindings.Storage).Items.AsEnumerable();
        if (@namespace.Length > 0)
        {
            bindings = bindings.Concat(store.List(BuiltInResources.RoleBindings.Storage, @namespace).Items);
        }

        return bindings.Where(binding => (binding["subjects"] as JsonArray ?? []).Any(subject => Applies(subject!, user, (string?)binding["metadata"]!["namespace"] ?? "")))
            .SelectMany(binding => RoleRules(binding["roleRef"]!, (string?)binding["metadata"]!["namespace"] ?? "") ?? []);
    }

    /// <summary>The rules of the role that a binding names; null if there is no such role.</summary>
    public IEnumerable<JsonNode>? RoleRules(JsonNode roleRef, string @namespace)
    {
        var isCluster = (string?)roleRef["kind"] == "ClusterRole";
        var type = isCluster ? BuiltInResources.ClusterRoles : BuiltInResources.Roles;
        return store.Get(type.Storage, new ObjectKey(isCluster ? "" : @namespace, (string)roleRef["name"]!)) is { } role ? OfRole(role) : null;
    }

    public static IEnumerable<JsonNode> OfRole(JsonObject? role) => (role?["rules"] as JsonArray ?? []).OfType<JsonNode>();

    private static bool Applies(JsonNode subject, UserInfo user, string @namespace)
    {
        var name = (string?)subject["name"] ?? "";
        return (string?)subject["kind"] switch
        {
            "User" => user.Name == name,
            "Group" => user.Groups.Contains(name),
            "ServiceAccount" => ((string?)subject["namespace"] ?? @namespace) is { Length: > 0 } home && user.Name == UserInfo.AccountName(home, name),
            _ => false,
        };
    }
}
