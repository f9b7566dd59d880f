using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Authorization;
using Phi.LocalCluster.ApiServer.Disruption;
using Phi.LocalCluster.ApiServer.Priority;
using Phi.LocalCluster.ApiServer.Workloads;

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
        else if (type.Group == "apps")
        {
            WorkloadRules.ApplyDefaults(type, value);
        }
        else if (type == BuiltInResources.Jobs)
        {
            JobRules.ApplyDefaults(value);
        }
        else if (type.Group == "networking.k8s.io")
        {
            NetworkRules.ApplyDefaults(type, value);
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

        return type switch
        {
            { Group: "apps" } => WorkloadRules.Check(value, old),
            { Group: "networking.k8s.io" } => NetworkRules.Check(type, value),
            _ when type == BuiltInResources.Jobs => JobRules.Check(value, old),
            _ => [],
        };
    }
}
