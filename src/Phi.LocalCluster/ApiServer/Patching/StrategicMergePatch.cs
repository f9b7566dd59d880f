using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Patching;

/// <summary>
/// Strategic merge patch of the built-in types (kubernetes.io, "Update API objects in place using kubectl patch"): lists with a merge
/// key are merged by it, others replaced; <c>$patch: delete|replace</c>, <c>$retainKeys</c>, <c>$deleteFromPrimitiveList</c> and
/// <c>$setElementOrder</c> as documented there.
/// </summary>
internal static class StrategicMergePatch
{
    /// <summary>Merge keys by field name, as core/v1's types declare them in patchMergeKey.</summary>
    public static readonly IReadOnlyDictionary<string, string> MergeKeys = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["containers"] = "name",
        ["initContainers"] = "name",
        ["ephemeralContainers"] = "name",
        ["env"] = "name",
        ["volumes"] = "name",
        ["volumeMounts"] = "mountPath",
        ["volumeDevices"] = "devicePath",
        ["conditions"] = "type",
        ["ownerReferences"] = "uid",
        ["imagePullSecrets"] = "name",
        ["secrets"] = "name",
        ["hostAliases"] = "ip",
        ["schedulingGates"] = "name",
        ["topologySpreadConstraints"] = "topologyKey",
        ["addresses"] = "type",
        ["resourceClaims"] = "name",
    };

    private static readonly HashSet<string> MergedPrimitives = new(StringComparer.Ordinal) { "finalizers", "podCIDRs" };

    /// <summary>The patched copy.</summary>
    public static JsonObject Apply(JsonObject target, JsonNode? patch) =>
        patch is JsonObject changes ? Merge(target.DeepClone().AsObject(), changes) : throw new PatchException("a strategic merge patch is an object");

    private static JsonObject Merge(JsonObject target, JsonObject patch)
    {
        if (Directive(patch) == "replace")
        {
            var replacement = patch.DeepClone().AsObject();
            replacement.Remove("$patch");
            return replacement;
        }

        if (patch["$retainKeys"] is JsonArray retained)
        {
            var names = retained.Select(name => (string?)name).ToHashSet();
            foreach (var name in target.Select(pair => pair.Key).Where(name => !names.Contains(name)).ToList())
            {
                target.Remove(name);
            }
        }

        foreach (var (name, change) in patch)
        {
            MergeField(target, name, change);
        }

        return target;
    }

    private static void MergeField(JsonObject target, string name, JsonNode? change)
    {
        const string deletion = "$deleteFromPrimitiveList/";
        if (name.StartsWith(deletion, StringComparison.Ordinal))
        {
            DeletePrimitives(target, name[deletion.Length..], change);
        }
        else if (name.StartsWith('$'))
        {
            // $setElementOrder orders what the merge keeps; the merge keeps the target's order, then the patch's.
        }
        else if (change is null)
        {
            target.Remove(name);
        }
        else if (change is JsonObject inner)
        {
            if (Directive(inner) == "delete")
            {
                target.Remove(name);
            }
            else
            {
                target[name] = Merge(target[name] is JsonObject there ? there.DeepClone().AsObject() : [], inner);
            }
        }
        else if (change is JsonArray list && target[name] is JsonArray existing)
        {
            target[name] = MergeList(existing, list, name);
        }
        else
        {
            target[name] = change is JsonArray fresh ? WithoutDirectives(fresh) : change.DeepClone();
        }
    }

    private static JsonArray MergeList(JsonArray existing, JsonArray patch, string name)
    {
        if (patch.OfType<JsonObject>().Any(item => Directive(item) == "replace" && item.Count == 1))
        {
            return WithoutDirectives(patch);
        }

        if (MergedPrimitives.Contains(name))
        {
            var values = existing.Select(item => item!.ToJsonString()).Concat(patch.Select(item => item!.ToJsonString())).Distinct();
            return new JsonArray([.. values.Select(value => JsonNode.Parse(value))]);
        }

        if (KeyOf(name, patch, existing) is not { } key)
        {
            return patch.DeepClone().AsArray();
        }

        var merged = existing.DeepClone().AsArray();
        foreach (var item in patch.OfType<JsonObject>())
        {
            var index = IndexOf(merged, key, item[key]);
            if (Directive(item) == "delete")
            {
                if (index >= 0)
                {
                    merged.RemoveAt(index);
                }
            }
            else if (index >= 0)
            {
                merged[index] = Merge(merged[index]!.DeepClone().AsObject(), item);
            }
            else
            {
                merged.Add(Merge([], item));
            }
        }

        return merged;
    }

    /// <summary>Container ports merge by containerPort, a service's by port.</summary>
    private static string? KeyOf(string name, JsonArray patch, JsonArray existing)
    {
        if (name != "ports")
        {
            return MergeKeys.GetValueOrDefault(name);
        }

        return patch.Concat(existing).OfType<JsonObject>().Any(item => item.ContainsKey("containerPort")) ? "containerPort" : "port";
    }

    private static int IndexOf(JsonArray list, string key, JsonNode? value)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is JsonObject item && JsonNode.DeepEquals(item[key], value))
            {
                return i;
            }
        }

        return -1;
    }

    private static void DeletePrimitives(JsonObject target, string name, JsonNode? values)
    {
        if (target[name] is JsonArray list && values is JsonArray gone)
        {
            var texts = gone.Select(item => item?.ToJsonString()).ToHashSet();
            target[name] = new JsonArray([.. list.Where(item => !texts.Contains(item?.ToJsonString())).Select(item => item?.DeepClone())]);
        }
    }

    private static JsonArray WithoutDirectives(JsonArray list) =>
        new([.. list.Where(item => item is not JsonObject entry || Directive(entry) is null).Select(item => item is JsonObject entry ? Merge([], entry) : item?.DeepClone())]);

    private static string? Directive(JsonObject patch) => patch["$patch"] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
