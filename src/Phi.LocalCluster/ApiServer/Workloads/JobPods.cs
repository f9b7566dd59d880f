using System.Globalization;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Workloads;

/// <summary>
/// The pods of one Job. Each has a finalizer until its end is counted in the Job's status, so that a pod that somebody deletes is counted
/// too, and none twice (kubernetes.io, "Job tracking with finalizers").
/// </summary>
internal sealed class JobPods(ResourceService service, JsonObject job)
{
    public const string Finalizer = "batch.kubernetes.io/job-tracking";

    public IReadOnlyList<JsonObject> All { get; } =
        [.. service.Store.List(BuiltInResources.Pods.Storage, (string)job["metadata"]!["namespace"]!).Items.Where(pod => Owner(pod) == (string)job["metadata"]!["uid"]!)];

    public IReadOnlyList<JsonObject> Active => [.. All.Where(pod => !IsOver(pod))];

    /// <summary>Whose end is not counted yet.</summary>
    public IEnumerable<JsonObject> Uncounted => All.Where(pod => IsOver(pod) && IsTracked(pod));

    /// <summary>When the last pod failed; null if none is there that did.</summary>
    public DateTimeOffset? LastFailure => All.Where(pod => (string?)pod["status"]?["phase"] == "Failed").Select(End).Max();

    public static bool IsTracked(JsonObject pod) => (pod["metadata"]!["finalizers"] as JsonArray ?? []).Any(name => (string?)name == Finalizer);

    public static bool HasSucceeded(JsonObject pod) => (string?)pod["status"]?["phase"] == "Succeeded";

    /// <summary>Uid of the Job that controls a pod; null: none does.</summary>
    public static string? Owner(JsonObject pod) =>
        (string?)(pod["metadata"]!["ownerReferences"] as JsonArray ?? []).FirstOrDefault(owner => (bool?)owner?["controller"] == true && (string?)owner["kind"] == "Job")?["uid"];

    /// <exception cref="ApiException">Admission refuses it.</exception>
    public void Create()
    {
        var template = job["spec"]!["template"]!;
        var (name, @namespace) = ((string)job["metadata"]!["name"]!, (string)job["metadata"]!["namespace"]!);
        service.Create(
            BuiltInResources.Pods,
            @namespace,
            new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["generateName"] = $"{name[..Math.Min(name.Length, 57)]}-",
                    ["labels"] = template["metadata"]?["labels"]?.DeepClone(),
                    ["annotations"] = template["metadata"]?["annotations"]?.DeepClone(),
                    ["finalizers"] = new JsonArray(Finalizer),
                    ["ownerReferences"] = new JsonArray(new JsonObject
                    {
                        ["apiVersion"] = BuiltInResources.Jobs.ApiVersion,
                        ["kind"] = BuiltInResources.Jobs.Kind,
                        ["name"] = name,
                        ["uid"] = (string)job["metadata"]!["uid"]!,
                        ["controller"] = true,
                        ["blockOwnerDeletion"] = true,
                    }),
                },
                ["spec"] = template["spec"]!.DeepClone(),
            },
            WriteOptions.Server);
    }

    public void EndActive()
    {
        foreach (var pod in Active.Where(pod => !Conditions.IsEnding(pod)))
        {
            Try(() => service.Delete(BuiltInResources.Pods, ResourceService.KeyOf(pod), new DeleteOptions(Uid: (string?)pod["metadata"]!["uid"])));
        }
    }

    public void Release(JsonObject pod) => Release(service, pod);

    public static void Release(ResourceService service, JsonObject pod) => Try(() => service.Store.TryChange(BuiltInResources.Pods, ResourceService.KeyOf(pod), value =>
    {
        if (value["metadata"]!["finalizers"] is JsonArray finalizers && finalizers.RemoveAll(name => (string?)name == Finalizer) > 0 && finalizers.Count == 0)
        {
            value["metadata"]!.AsObject().Remove("finalizers");
        }
    }));

    /// <summary>Ended by itself, or taken away for good: only its finalizer keeps it.</summary>
    private static bool IsOver(JsonObject pod) => Conditions.IsTerminal(pod) || (Conditions.IsEnding(pod) && ((long?)pod["metadata"]!["deletionGracePeriodSeconds"] ?? 0) == 0);

    private static DateTimeOffset? End(JsonObject pod) =>
        (pod["status"]?["containerStatuses"] as JsonArray ?? []).Select(status => (string?)status?["state"]?["terminated"]?["finishedAt"]).OfType<string>()
            .Select(text => (DateTimeOffset?)DateTimeOffset.Parse(text, CultureInfo.InvariantCulture)).Max();

    private static void Try(Action act)
    {
        try
        {
            act();
        }
        catch (ApiException e) when (e.Code is 404 or 409)
        {
            // Gone meanwhile; that is what was wanted.
        }
    }
}
