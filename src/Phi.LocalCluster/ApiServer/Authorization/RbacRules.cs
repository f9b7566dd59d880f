using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Authorization;

/// <summary>What roles and bindings must be (rbac.authorization.k8s.io/v1), and their defaults.</summary>
internal static class RbacRules
{
    public static void ApplyDefaults(JsonObject value)
    {
        if (value["roleRef"] is JsonObject roleRef)
        {
            roleRef["apiGroup"] ??= Rbac.Group;
        }

        foreach (var subject in (value["subjects"] as JsonArray ?? []).OfType<JsonObject>().Where(subject => (string?)subject["kind"] is "User" or "Group"))
        {
            subject["apiGroup"] ??= Rbac.Group;
        }
    }

    public static IEnumerable<FieldError> Check(ResourceType type, JsonObject value, JsonObject? old) =>
        type == BuiltInResources.Roles || type == BuiltInResources.ClusterRoles ? CheckRole(type, value) : CheckBinding(type, value, old);

    private static IEnumerable<FieldError> CheckRole(ResourceType type, JsonObject role)
    {
        foreach (var (index, rule) in (role["rules"] as JsonArray ?? []).Index())
        {
            var path = $"rules[{index}]";
            if (IsEmpty(rule, "verbs"))
            {
                yield return FieldError.Required($"{path}.verbs", "verbs must contain at least one value");
            }

            if (!IsEmpty(rule, "nonResourceURLs"))
            {
                if (type.Namespaced)
                {
                    yield return FieldError.Invalid($"{path}.nonResourceURLs", rule!["nonResourceURLs"]!.ToJsonString(), "namespaced rules cannot apply to non-resource URLs");
                }

                if (!IsEmpty(rule, "apiGroups") || !IsEmpty(rule, "resources") || !IsEmpty(rule, "resourceNames"))
                {
                    yield return FieldError.Invalid($"{path}.nonResourceURLs", rule!["nonResourceURLs"]!.ToJsonString(), "rules cannot apply to both regular resources and non-resource URLs");
                }

                continue;
            }

            if (IsEmpty(rule, "apiGroups"))
            {
                yield return FieldError.Required($"{path}.apiGroups", "resource rules must supply at least one api group");
            }

            if (IsEmpty(rule, "resources"))
            {
                yield return FieldError.Required($"{path}.resources", "resource rules must supply at least one resource");
            }
        }

        foreach (var (index, selector) in (role["aggregationRule"]?["clusterRoleSelectors"] as JsonArray ?? []).Index())
        {
            foreach (var error in LabelSelector.Check(selector, $"aggregationRule.clusterRoleSelectors[{index}]"))
            {
                yield return error;
            }
        }
    }

    private static IEnumerable<FieldError> CheckBinding(ResourceType type, JsonObject binding, JsonObject? old)
    {
        var roleRef = binding["roleRef"] as JsonObject ?? [];
        if ((string?)roleRef["apiGroup"] is var group && group != Rbac.Group)
        {
            yield return Unsupported("roleRef.apiGroup", group, $"\"{Rbac.Group}\"");
        }

        if ((string?)roleRef["kind"] is var kind && !(kind == "ClusterRole" || (kind == "Role" && type.Namespaced)))
        {
            yield return Unsupported("roleRef.kind", kind, type.Namespaced ? "\"ClusterRole\", \"Role\"" : "\"ClusterRole\"");
        }

        if (string.IsNullOrEmpty((string?)roleRef["name"]))
        {
            yield return FieldError.Required("roleRef.name");
        }

        if (old is not null && !JsonNode.DeepEquals(old["roleRef"], binding["roleRef"]))
        {
            yield return FieldError.Invalid("roleRef", roleRef.ToJsonString(), "cannot change roleRef");
        }

        foreach (var (index, subject) in (binding["subjects"] as JsonArray ?? []).Index())
        {
            if (string.IsNullOrEmpty((string?)subject?["name"]))
            {
                yield return FieldError.Required($"subjects[{index}].name");
            }

            if ((string?)subject?["kind"] is not ("User" or "Group" or "ServiceAccount"))
            {
                yield return Unsupported($"subjects[{index}].kind", (string?)subject?["kind"], "\"Group\", \"ServiceAccount\", \"User\"");
            }
            else if ((string?)subject["kind"] == "ServiceAccount" && !type.Namespaced && string.IsNullOrEmpty((string?)subject["namespace"]))
            {
                yield return FieldError.Required($"subjects[{index}].namespace");
            }
        }
    }

    private static bool IsEmpty(JsonNode? rule, string field) => rule?[field] is not JsonArray { Count: > 0 };

    private static FieldError Unsupported(string field, string? value, string supported) =>
        new(field, "FieldValueNotSupported", $"Unsupported value: \"{value}\": supported values: {supported}");
}
