using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>Fills every ClusterRole that has an aggregationRule with the rules of those that its selectors match.</summary>
internal sealed class RoleAggregation(ResourceService service)
{
    public static IReadOnlySet<string> Watched { get; } = new HashSet<string>(StringComparer.Ordinal) { BuiltInResources.ClusterRoles.Storage };

    public TimeSpan? Pass()
    {
        var roles = service.Store.List(BuiltInResources.ClusterRoles.Storage).Items;
        foreach (var role in roles.Where(role => role["aggregationRule"] is not null))
        {
            var selectors = role["aggregationRule"]!["clusterRoleSelectors"] as JsonArray ?? [];
            var parts = roles.Where(other => other != role && selectors.Any(selector => LabelSelector.Matches(selector, other)));
            var rules = new List<JsonNode>();
            foreach (var rule in parts.SelectMany(Rbac.OfRole).Where(rule => !rules.Exists(there => JsonNode.DeepEquals(there, rule))))
            {
                rules.Add(rule);
            }

            service.Store.TryChange(BuiltInResources.ClusterRoles, ResourceService.KeyOf(role), current => current["rules"] = new JsonArray([.. rules.Select(rule => rule.DeepClone())]));
        }

        return null;
    }
}
