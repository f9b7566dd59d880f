using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authentication;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>The roles and bindings that every cluster has (kubernetes.io, "Default roles and role bindings"), for the kinds served here.</summary>
internal static class BuiltInRoles
{
    private const string Read = "get,list,watch";
    private const string Write = "create,delete,deletecollection,patch,update";
    private const string Bootstrap = "rbac-defaults";
    private static readonly string[] Aggregates = ["admin", "edit", "view"];

    /// <summary>Name to rules: groups, resources and verbs, or paths and verbs.</summary>
    private static readonly (string Name, string? AggregateTo, string[] Rules)[] Roles =
    [
        ("cluster-admin", null, ["* * *", "* *"]),
        ("system:discovery", null, ["/api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/ get"]),
        ("system:public-info-viewer", null, ["/healthz,/livez,/readyz,/version,/version/ get"]),
        ("system:basic-user", null, ["authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews create", "authentication.k8s.io selfsubjectreviews create"]),
        ("system:aggregate-to-view", "view",
        [
            $"core configmaps,events,namespaces,pods,pods/log,pods/status,serviceaccounts,services,services/status {Read}",
            $"policy poddisruptionbudgets,poddisruptionbudgets/status {Read}",
            $"apps deployments,deployments/status,statefulsets,statefulsets/status {Read}",
            $"batch jobs,jobs/status {Read}",
            $"networking.k8s.io ingresses,ingresses/status,networkpolicies {Read}",
        ]),
        ("system:aggregate-to-edit", "edit",
        [
            $"core secrets {Read}",
            $"core configmaps,events,pods,secrets,serviceaccounts,services {Write}",
            "core pods/eviction,serviceaccounts/token create",
            "core serviceaccounts impersonate",
            $"policy poddisruptionbudgets {Write}",
            $"apps deployments,statefulsets {Write}",
            $"batch jobs {Write}",
            $"networking.k8s.io ingresses,networkpolicies {Write}",
            $"coordination.k8s.io leases {Read},{Write}",
        ]),
        ("system:aggregate-to-admin", "admin", ["authorization.k8s.io localsubjectaccessreviews create", $"{Rbac.Group} rolebindings,roles {Read},{Write}"]),
    ];

    private static readonly (string Role, string Group)[] Bindings =
    [
        ("cluster-admin", UserInfo.Masters),
        ("system:discovery", UserInfo.Authenticated),
        ("system:public-info-viewer", UserInfo.Authenticated),
        ("system:basic-user", UserInfo.Authenticated),
    ];

    public static IEnumerable<(ResourceType Type, JsonObject Object)> All =>
    [
        .. Roles.Select(role => (BuiltInResources.ClusterRoles, Role(role.Name, role.AggregateTo, role.Rules))),
        .. Aggregates.Select((name, place) => (BuiltInResources.ClusterRoles, Aggregate(name, place))),
        .. Bindings.Select(binding => (BuiltInResources.ClusterRoleBindings, Binding(binding.Role, binding.Group))),
    ];

    /// <summary>Creates what is missing. A role that is there keeps what was added to it and gets what it lacks, unless it is set not to be updated.</summary>
    public static void Ensure(ResourceService service)
    {
        foreach (var (type, value) in All)
        {
            var key = ResourceService.KeyOf(value);
            if (service.Store.Get(type.Storage, key) is not { } there)
            {
                service.Create(type, "", value, WriteOptions.Server);
            }
            else if (value["rules"] is JsonArray rules && value["aggregationRule"] is null && (string?)there["metadata"]!["annotations"]?["rbac.authorization.kubernetes.io/autoupdate"] == "true")
            {
                var missing = PolicyRules.Missing([.. Rbac.OfRole(there)], rules.OfType<JsonNode>());
                service.Store.TryChange(type, key, role => missing.ToList().ForEach(rule => (role["rules"] as JsonArray ?? (JsonArray)(role["rules"] = new JsonArray())).Add(rule.DeepClone())));
            }
        }
    }

    private static JsonObject Role(string name, string? aggregateTo, string[] rules)
    {
        var role = Named(name);
        if (aggregateTo is not null)
        {
            role["metadata"]!["labels"]![$"{Rbac.Group}/aggregate-to-{aggregateTo}"] = "true";
        }

        role["rules"] = new JsonArray([.. rules.Select(Rule)]);
        return role;
    }

    private static JsonObject Rule(string text)
    {
        var parts = text.Split(' ').Select(part => part.Split(',')).ToList();
        return parts is [var groups, var resources, var verbs]
            ? new JsonObject { ["apiGroups"] = Strings(groups.Select(group => group == "core" ? "" : group)), ["resources"] = Strings(resources), ["verbs"] = Strings(verbs) }
            : new JsonObject { ["nonResourceURLs"] = Strings(parts[0]), ["verbs"] = Strings(parts[1]) };
    }

    /// <summary>view is part of edit, and edit of admin.</summary>
    private static JsonObject Aggregate(string name, int place)
    {
        var role = Named(name);
        if (place > 0)
        {
            role["metadata"]!["labels"]![$"{Rbac.Group}/aggregate-to-{Aggregates[place - 1]}"] = "true";
        }

        role["aggregationRule"] = new JsonObject { ["clusterRoleSelectors"] = new JsonArray(new JsonObject { ["matchLabels"] = new JsonObject { [$"{Rbac.Group}/aggregate-to-{name}"] = "true" } }) };
        role["rules"] = new JsonArray();
        return role;
    }

    private static JsonObject Binding(string role, string group)
    {
        var binding = Named(role);
        binding["roleRef"] = new JsonObject { ["apiGroup"] = Rbac.Group, ["kind"] = "ClusterRole", ["name"] = role };
        binding["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = Rbac.Group, ["kind"] = "Group", ["name"] = group });
        return binding;
    }

    private static JsonObject Named(string name) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["name"] = name,
            ["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = Bootstrap },
            ["annotations"] = new JsonObject { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" },
        },
    };

    private static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode?)value)]);
}
