using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.NodeHealth;

namespace Phi.LocalCluster.ApiServer.Registry;

/// <summary>Defaults of a pod, and what of its spec may change.</summary>
internal static class PodRules
{
    private static readonly string[] ContainerLists = ["containers", "initContainers"];

    public static void ApplyDefaults(JsonObject pod)
    {
        var spec = (pod["spec"] ??= new JsonObject()).AsObject();
        spec["restartPolicy"] ??= "Always";
        spec["dnsPolicy"] ??= "ClusterFirst";
        spec["schedulerName"] ??= "default-scheduler";
        spec["terminationGracePeriodSeconds"] ??= 30;
        spec["securityContext"] ??= new JsonObject();
        spec["enableServiceLinks"] ??= true;
        Taints.AddDefaultTolerations(spec);
        foreach (var container in (spec["containers"] as JsonArray ?? []).OfType<JsonObject>())
        {
            container["imagePullPolicy"] ??= "IfNotPresent";
            container["terminationMessagePath"] ??= "/dev/termination-log";
            container["terminationMessagePolicy"] ??= "File";
            var resources = (container["resources"] ??= new JsonObject()).AsObject();
            if (resources["limits"] is JsonObject limits)
            {
                var requests = (resources["requests"] ??= new JsonObject()).AsObject();
                foreach (var (name, amount) in limits)
                {
                    requests[name] ??= amount?.DeepClone();
                }
            }

            Quantities(resources["limits"]);
            Quantities(resources["requests"]);
        }
    }

    /// <summary>An amount written as a number is stored as text, the canonical form of a quantity.</summary>
    private static void Quantities(JsonNode? amounts)
    {
        foreach (var (name, amount) in (amounts as JsonObject ?? []).ToList())
        {
            amounts![name] = amount?.ToString();
        }
    }

    /// <summary>What a new pod's status says before anything has seen it.</summary>
    public static JsonObject InitialStatus(JsonObject pod, string now)
    {
        var status = new JsonObject { ["phase"] = "Pending", ["qosClass"] = "Burstable" };
        if (pod["spec"]!["schedulingGates"] is JsonArray { Count: > 0 })
        {
            status["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "False",
                ["reason"] = "SchedulingGated",
                ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
                ["lastTransitionTime"] = now,
            });
        }

        return status;
    }

    public static IEnumerable<FieldError> Check(JsonObject pod)
    {
        var containers = pod["spec"]!["containers"] as JsonArray ?? [];
        if (containers.Count == 0)
        {
            yield return FieldError.Required("spec.containers");
        }

        foreach (var (index, container) in containers.Index())
        {
            if (string.IsNullOrEmpty((string?)container?["name"]))
            {
                yield return FieldError.Required($"spec.containers[{index}].name");
            }

            if (string.IsNullOrEmpty((string?)container?["image"]))
            {
                yield return FieldError.Required($"spec.containers[{index}].image");
            }
        }

        if ((string?)pod["spec"]!["restartPolicy"] is var policy && policy is not ("Always" or "OnFailure" or "Never"))
        {
            yield return new FieldError("spec.restartPolicy", "FieldValueNotSupported", $"Unsupported value: \"{policy}\": supported values: \"Always\", \"OnFailure\", \"Never\"");
        }
    }

    /// <summary>Gates may only go; while one is there, node selection may be narrowed; images, tolerations and the deadline may change.</summary>
    public static IEnumerable<FieldError> CheckUpdate(JsonObject old, JsonObject pod)
    {
        var (oldGates, newGates) = (Gates(old), Gates(pod));
        if (newGates.Except(oldGates).FirstOrDefault() is { } added)
        {
            yield return FieldError.Forbidden("spec.schedulingGates", $"only deletion is allowed, but found new scheduling gate '{added}'");
        }

        if (!JsonNode.DeepEquals(Fixed(old, oldGates.Count > 0), Fixed(pod, oldGates.Count > 0)))
        {
            yield return FieldError.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)");
        }
    }

    private static List<string> Gates(JsonObject pod) => [.. (pod["spec"]?["schedulingGates"] as JsonArray ?? []).Select(gate => (string?)gate?["name"] ?? "")];

    private static JsonObject Fixed(JsonObject pod, bool isGated)
    {
        var spec = pod["spec"]!.DeepClone().AsObject();
        foreach (var name in new[] { "schedulingGates", "activeDeadlineSeconds", "tolerations" })
        {
            spec.Remove(name);
        }

        if (isGated)
        {
            spec.Remove("nodeSelector");
            (spec["affinity"] as JsonObject)?.Remove("nodeAffinity");
            if (spec["affinity"] is JsonObject { Count: 0 } or null)
            {
                spec.Remove("affinity");
            }
        }

        foreach (var container in ContainerLists.SelectMany(list => spec[list] as JsonArray ?? []).OfType<JsonObject>())
        {
            container.Remove("image");
            foreach (var port in (container["ports"] as JsonArray ?? []).OfType<JsonObject>())
            {
                port["protocol"] ??= "TCP";
            }
        }

        return spec;
    }
}
