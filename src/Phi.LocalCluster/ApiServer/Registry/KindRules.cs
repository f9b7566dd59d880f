using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Disruption;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Rules of the built-in kinds beyond their schema, by kind.</summary>
internal static class KindRules
{
    /// <param name="old">Null for a new object.</param>
    public static IEnumerable<FieldError> Check(ResourceType type, JsonObject value, JsonObject? old)
    {
        if (type == BuiltInResources.PodDisruptionBudgets)
        {
            return BudgetRules.Check(value);
        }

        return [];
    }
}
