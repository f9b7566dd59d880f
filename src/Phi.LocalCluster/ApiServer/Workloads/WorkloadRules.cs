using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Workloads;

/// <summary>Deployments and StatefulSets (apps/v1): kept and checked, and run by nobody here.</summary>
internal static class WorkloadRules
{
    /// <summary>What whoever creates one is told.</summary>
    public static string? Warning(ResourceType type) => type.Group == "apps"
        ? $"this control plane runs no controller for {type.Plural}: the {type.Kind} is stored, and gets no pods"
        : null;

    public static void ApplyDefaults(ResourceType type, JsonObject value)
    {
        if (value["spec"] is not JsonObject spec)
        {
            return;
        }

        spec["replicas"] ??= 1L;
        spec["revisionHistoryLimit"] ??= 10L;
        if (type == BuiltInResources.Deployments)
        {
            spec["progressDeadlineSeconds"] ??= 600L;
            var strategy = (spec["strategy"] ??= new JsonObject()).AsObject();
            strategy["type"] ??= "RollingUpdate";
            if ((string?)strategy["type"] == "RollingUpdate")
            {
                var rolling = (strategy["rollingUpdate"] ??= new JsonObject()).AsObject();
                rolling["maxUnavailable"] ??= "25%";
                rolling["maxSurge"] ??= "25%";
            }
        }
        else
        {
            spec["podManagementPolicy"] ??= "OrderedReady";
            (spec["updateStrategy"] ??= new JsonObject { ["rollingUpdate"] = new JsonObject { ["partition"] = 0 } })["type"] ??= "RollingUpdate";
        }
    }

    /// <param name="old">Null for a new object.</param>
    public static IEnumerable<FieldError> Check(JsonObject value, JsonObject? old)
    {
        var (spec, selector) = (value["spec"] as JsonObject ?? [], value["spec"]?["selector"]);
        if (selector is not JsonObject { Count: > 0 })
        {
            yield return FieldError.Required("spec.selector");
        }
        else if (old is not null && !JsonNode.DeepEquals(old["spec"]?["selector"], selector))
        {
            yield return FieldError.Invalid("spec.selector", selector.ToJsonString(), "field is immutable");
        }
        else if (!LabelSelector.Matches(selector, Template(spec)))
        {
            yield return FieldError.Invalid("spec.template.metadata.labels", spec["template"]?["metadata"]?["labels"]?.ToJsonString() ?? "null", "`selector` does not match template `labels`");
        }

        if ((long?)spec["replicas"] < 0)
        {
            yield return FieldError.Invalid("spec.replicas", spec["replicas"]!.ToJsonString(), "must be greater than or equal to 0");
        }

        foreach (var error in LabelSelector.Check(selector, "spec.selector").Concat(CheckTemplate(spec, ["Always"])))
        {
            yield return error;
        }
    }

    /// <summary>Pods of a template by the rules of pods.</summary>
    /// <param name="policies">The restart policies that its kind allows, the default first.</param>
    public static IEnumerable<FieldError> CheckTemplate(JsonObject spec, string[] policies)
    {
        var template = Template(spec);
        var pod = (template["spec"] as JsonObject ?? []).DeepClone().AsObject();
        pod["restartPolicy"] ??= "Always";
        var policy = (string)pod["restartPolicy"]!;
        if (!policies.Contains(policy))
        {
            yield return new FieldError("spec.template.spec.restartPolicy", "FieldValueNotSupported", $"Unsupported value: \"{policy}\": supported values: {string.Join(", ", policies.Select(one => $"\"{one}\""))}");
        }

        foreach (var error in PodRules.Check(new JsonObject { ["spec"] = pod }).Where(error => error.Field != "spec.restartPolicy"))
        {
            yield return error with { Field = $"spec.template.{error.Field}" };
        }
    }

    /// <summary>With metadata, as selectors look for.</summary>
    private static JsonObject Template(JsonObject spec)
    {
        var template = (spec["template"] as JsonObject ?? []).DeepClone().AsObject();
        template["metadata"] ??= new JsonObject();
        return template;
    }
}
