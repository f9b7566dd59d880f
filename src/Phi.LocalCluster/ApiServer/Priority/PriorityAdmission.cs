using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;
using Phi.LocalCluster.ApiServer.Storage;

namespace Phi.LocalCluster.ApiServer.Priority;

/// <summary>As the admission plugin Priority: a pod's class becomes its number, and only one class is the default.</summary>
internal static class PriorityAdmission
{
    private const string DefaultPolicy = "PreemptLowerPriority";

    /// <param name="old">Null for a new object.</param>
    /// <exception cref="ApiException">403: there is no such class, the pod names another number than its class, or a second class would be the default.</exception>
    public static void Admit(ObjectStore store, ResourceType type, JsonObject value, JsonObject? old)
    {
        if (type == BuiltInResources.Pods)
        {
            AdmitPod(store, value, old);
        }
        else if (type == BuiltInResources.PriorityClasses && (bool?)value["globalDefault"] == true
            && Classes(store).FirstOrDefault(one => (bool?)one["globalDefault"] == true && Name(one) != Name(value)) is { } other)
        {
            throw ApiException.Forbidden(type.Resource, Name(value), $"PriorityClass {Name(other)} is already marked as default. Only one default can exist");
        }
    }

    private static void AdmitPod(ObjectStore store, JsonObject pod, JsonObject? old)
    {
        var spec = pod["spec"]!.AsObject();
        if (old is not null)
        {
            foreach (var field in new[] { "priority", "preemptionPolicy" })
            {
                if (old["spec"]![field] is { } kept)
                {
                    spec[field] ??= kept.DeepClone();
                }
            }

            return;
        }

        var found = (string?)spec["priorityClassName"] is { Length: > 0 } name
            ? store.Get(BuiltInResources.PriorityClasses.Storage, new ObjectKey("", name)) ?? throw Refuse(pod, $"no PriorityClass with name {name} was found")
            : Classes(store).Where(one => (bool?)one["globalDefault"] == true).MinBy(Number);
        var (priority, policy) = found is null ? (0, DefaultPolicy) : (Number(found), (string?)found["preemptionPolicy"] ?? DefaultPolicy);
        if (spec["priority"] is { } given && (long)given != priority)
        {
            throw Refuse(pod, $"the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {priority} from the given PriorityClass name");
        }

        if ((string?)spec["preemptionPolicy"] is { } asked && asked != policy)
        {
            throw Refuse(pod, $"the string value of PreemptionPolicy ({asked}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name");
        }

        (spec["priority"], spec["preemptionPolicy"]) = (priority, policy);
        if (found is not null)
        {
            spec["priorityClassName"] = Name(found);
        }
    }

    private static IReadOnlyList<JsonObject> Classes(ObjectStore store) => store.List(BuiltInResources.PriorityClasses.Storage).Items;

    private static ApiException Refuse(JsonObject pod, string why) => ApiException.Forbidden("pods", Name(pod), why);

    private static int Number(JsonObject priorityClass) => (int?)priorityClass["value"] ?? 0;

    private static string Name(JsonObject value) => (string?)value["metadata"]!["name"] ?? "";
}
