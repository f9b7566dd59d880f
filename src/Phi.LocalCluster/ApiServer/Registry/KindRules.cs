using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Disruption;
using Phi.LocalCluster.ApiServer.Priority;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Rules of the built-in kinds beyond their schema, by kind.</summary>
internal static class KindRules
{
    public static void ApplyDefaults(ResourceType type, JsonObject value)
    {
        if (type == BuiltInResources.PriorityClasses)
        {
            PriorityClassRules.ApplyDefaults(value);
        }
        else if (type.Group == Rbac.Group)
        {
            RbacRules.ApplyDefaults(value);
        }
    }

    /// <param name="old">Null for a new object.</param>
    public static IEnumerable<FieldError> Check(ResourceType type, JsonObject value, JsonObject? old)
    {
        if (type == BuiltInResources.PodDisruptionBudgets)
        {
            return BudgetRules.Check(value);
        }

        if (type == BuiltInResources.PriorityClasses)
        {
            return PriorityClassRules.Check(value, old);
        }

        if (type.Group == Rbac.Group)
        {
            return RbacRules.Check(type, value, old);
        }

        return [];
    }
}
