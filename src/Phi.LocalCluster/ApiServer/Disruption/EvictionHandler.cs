using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Http;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Disruption;

/// <summary>A pod's eviction (kubernetes.io, "API-initiated Eviction"): a deletion that the pod's PodDisruptionBudget must allow.</summary>
internal sealed class EvictionHandler(ResourceService service, TimeProvider clock)
{
    private const string TooMany = "Cannot evict pod as it would violate the pod's disruption budget.";

    /// <exception cref="ApiException">429 with the cause DisruptionBudget: not now. 500: more than one budget covers the pod.</exception>
    public async Task HandleAsync(ApiRequest request)
    {
        var body = await Replies.ReadObjectAsync(request.Http);
        if ((string?)body["metadata"]?["name"] is { Length: > 0 } name && name != request.Name)
        {
            throw ApiException.BadRequest("name in URL does not match name in Eviction object");
        }

        var options = DeleteOptions.Parse(body["deleteOptions"] as JsonObject, null, null, request.Query("dryRun") == "All");
        var pod = service.Get(BuiltInResources.Pods, request.Key);
        CheckPreconditions(request, pod, options);
        if (!(Conditions.IsTerminal(pod) || Conditions.IsEnding(pod) || (string?)pod["status"]?["phase"] == "Pending"))
        {
            Spend(request, pod, options.DryRun);
        }

        if (!options.DryRun)
        {
            service.Store.TryChange(BuiltInResources.Pods, request.Key, target =>
            {
                CheckPreconditions(request, target, options);
                Conditions.SetDisruptionTarget(target, "EvictionByEvictionAPI", "Eviction API: evicting", clock.GetUtcNow());
            });
        }

        // The condition was a new version of the very pod that was asked for.
        service.Delete(BuiltInResources.Pods, request.Key, options with { Uid = (string?)pod["metadata"]!["uid"], ResourceVersion = null });
        await Replies.WriteAsync(request.Http, new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201 }, 201);
    }

    private static void CheckPreconditions(ApiRequest request, JsonObject pod, DeleteOptions options)
    {
        var (uid, version) = ((string?)pod["metadata"]!["uid"], (string?)pod["metadata"]!["resourceVersion"]);
        if (options.Uid is { Length: > 0 } wantedUid && wantedUid != uid)
        {
            throw ApiException.Conflict("pods", request.Name!, $"Precondition failed: UID in precondition: {wantedUid}, UID in object meta: {uid}");
        }

        if (options.ResourceVersion is { Length: > 0 } wanted && wanted != version)
        {
            throw ApiException.Modified("pods", request.Name!);
        }
    }

    /// <summary>Takes one of the disruptions that the pod's budget allows.</summary>
    private void Spend(ApiRequest request, JsonObject pod, bool isDryRun)
    {
        var budgets = service.Store.List(BuiltInResources.PodDisruptionBudgets.Storage, request.Namespace).Items.Where(budget => LabelSelector.Matches(budget["spec"]?["selector"], pod)).ToList();
        if (budgets.Count > 1)
        {
            throw new ApiException(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
        }

        if (budgets is not [var found])
        {
            return;
        }

        if (!Conditions.IsReady(pod))
        {
            var policy = (string?)found["spec"]?["unhealthyPodEvictionPolicy"] ?? "IfHealthyBudget";
            var (healthy, desired) = (Number(found, "currentHealthy"), Number(found, "desiredHealthy"));
            if (policy == "AlwaysAllow" || (healthy >= desired && desired > 0))
            {
                return;
            }
        }

        service.Store.TryChange(BuiltInResources.PodDisruptionBudgets, ResourceService.KeyOf(found), budget =>
        {
            CheckAllowed(budget);
            if (isDryRun)
            {
                return;
            }

            var status = budget["status"]!.AsObject();
            status["disruptionsAllowed"] = (int)Number(budget, "disruptionsAllowed") - 1;
            (status["disruptedPods"] as JsonObject ?? (JsonObject)(status["disruptedPods"] = new JsonObject()))[request.Name!] = ManagedFields.Stamp(clock.GetUtcNow());
            DisruptionController.SetAllowed(budget, clock.GetUtcNow());
        });
    }

    private static void CheckAllowed(JsonObject budget)
    {
        var name = (string)budget["metadata"]!["name"]!;
        if (Number(budget, "observedGeneration") < ((long?)budget["metadata"]!["generation"] ?? 0))
        {
            throw Refusal($"The disruption budget {name} is still being processed by the server.", retryAfterSeconds: 10);
        }

        if (Number(budget, "disruptionsAllowed") > 0)
        {
            return;
        }

        throw Conditions.Find(budget, "DisruptionAllowed") is { } condition && (string?)condition["reason"] == "SyncFailed"
            ? Refusal($"The disruption budget {name} does not allow evicting pods currently because it failed sync: {(string?)condition["message"]}")
            : Refusal($"The disruption budget {name} needs {Number(budget, "desiredHealthy")} healthy pods and has {Number(budget, "currentHealthy")} currently");
    }

    private static ApiException Refusal(string cause, int? retryAfterSeconds = null) => new(429, "TooManyRequests", TooMany, new JsonObject
    {
        ["causes"] = new JsonArray(new JsonObject { ["reason"] = "DisruptionBudget", ["message"] = cause }),
        ["retryAfterSeconds"] = retryAfterSeconds,
    });

    private static long Number(JsonObject budget, string field) => (long?)budget["status"]?[field] ?? 0;
}
