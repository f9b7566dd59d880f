using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using k8s.Models;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Events;
using Phi.Operator.Metrics;
using Phi.Operator.Observe;
using Phi.Operator.Story;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Execute;

/// <summary>Carries a decision out: the status first, so that agents and restarts see it, then the actions; events and metrics tell what was written.</summary>
internal sealed class Executor(KubernetesConnection connection, ClusterCache cluster, EventRecorder events, StoryWriter story, OperatorMetrics metrics, TimeProvider time, Func<OperatorAddress> address)
{
    private static readonly JsonSerializerOptions Owned = OwnedFields();
    private readonly WaitingWords _waiting = new(time);

    /// <param name="job">As stored, without defaults.</param>
    /// <param name="effective">With every default.</param>
    /// <returns>After how long to decide anew, because nothing was done yet; null: all is done.</returns>
    public async Task<TimeSpan?> ExecuteAsync(TrainingJob job, TrainingJob effective, JobDecision decision, CancellationToken ct)
    {
        var key = new ResourceKey(job.Metadata.Namespace!, job.Metadata.Name!);
        var isWaiting = decision.Actions.IsEmpty && decision.Status is { } words && WaitingWords.SayOnly(job.Status, words);
        if (!isWaiting)
        {
            _waiting.Forget(key);
        }

        if (decision.Status is { } status && !IsSame(job.Status, status))
        {
            if (isWaiting && _waiting.Take(key) is { } turn)
            {
                return turn;
            }

            var began = time.GetTimestamp();
            cluster.Remember(key, await WriteStatusAsync(key, status, job.Metadata.Uid!, ct));
            _waiting.Took(time.GetElapsedTime(began));
            metrics.StatusWritten(job, status, decision.Reason, time.GetUtcNow());

            // What the status says is so, even if an action below fails and the next decision is about something else.
            Say(job, status, decision);
        }

        foreach (var action in decision.Actions)
        {
            await ActAsync(key, job, effective, action, ct);
        }

        Say(job, decision.Status ?? job.Status ?? new TrainingJobStatus(), decision);
        return null;
    }

    /// <summary>A job that is gone.</summary>
    public void Forget(ResourceKey job) => _waiting.Forget(job);

    private void Say(TrainingJob job, TrainingJobStatus status, JobDecision decision)
    {
        if (decision.IsTold)
        {
            events.Record(EventSubject.Of(job), decision.IsWarning, decision.Reason, decision.Message);
            story.Tell(job, status, decision.Reason, decision.Message, decision.IsWarning);
        }
    }

    private async Task ActAsync(ResourceKey key, TrainingJob stored, TrainingJob job, JobAction action, CancellationToken ct)
    {
        switch (action)
        {
            case JobAction.AddFinalizer:
                await FinalizeAsync(key, job, finalizers => finalizers.Append(PhiNames.JobFinalizer).Distinct(), ct);
                break;
            case JobAction.RemoveFinalizer:
                await FinalizeAsync(key, job, finalizers => finalizers.Where(name => name != PhiNames.JobFinalizer), ct);
                break;
            case JobAction.EnsureService:
                await CreateAsync(job, () => connection.Services().ApplyAsync(key.Namespace, key.Name, GangPod.Service(job), PhiNames.OperatorFieldManager, null, ct));
                break;
            case JobAction.CreatePod pod:
                await CreateAsync(job, async () => cluster.Remember(await connection.Pods().ApplyAsync(key.Namespace, pod.Name, await PodAsync(key, stored, job, pod, ct), PhiNames.OperatorFieldManager, null, ct)));
                break;
            case JobAction.PlaceGang place:
                await PlaceAsync(key, job, place, ct);
                break;
            case JobAction.DeletePod pod:
                if (await connection.Pods().DeleteAsync(key.Namespace, pod.Name, pod.Uid, pod.GracePeriodSeconds, ct))
                {
                    cluster.RememberDeletion(new ResourceKey(key.Namespace, pod.Name), pod.Uid, pod.GracePeriodSeconds);
                }

                break;
            case JobAction.DeleteJob:
                await connection.TrainingJobs().DeleteAsync(key.Namespace, key.Name, job.Metadata.Uid, null, ct);
                break;
        }
    }

    /// <summary>What the cluster's rules refuse is tried again like any failure, but only its user can mend it: the next decision tells why.</summary>
    private async Task CreateAsync(TrainingJob job, Func<Task> create)
    {
        try
        {
            await create();
        }
        catch (KubernetesApiException e) when (e.Code is HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.UnprocessableEntity or HttpStatusCode.InternalServerError)
        {
            cluster.RefuseCreation(job, e.Message);
            throw;
        }
    }

    private async Task<JsonObject> PodAsync(ResourceKey key, TrainingJob stored, TrainingJob job, JobAction.CreatePod create, CancellationToken ct)
    {
        var self = address();
        var pod = GangPod.Pod(job, create.Index, create.Name, create.Attempt, self);
        if (job.Spec.Container is null)
        {
            return pod;
        }

        if (create.Index == 0 && ContainerPod.HasDeepSpeed(stored))
        {
            await connection.ConfigMaps().ApplyAsync(key.Namespace, ContainerPod.DeepSpeedName(stored), ContainerPod.DeepSpeed(stored), PhiNames.OperatorFieldManager, null, ct);
        }

        ContainerPod.Turn(pod, stored, job, create.Index, create.Attempt, self.Url);
        return pod;
    }

    /// <summary>Only when every pin is in place does any gate open. A refusal is remembered: the next decision withdraws the gang.</summary>
    private async Task PlaceAsync(ResourceKey key, TrainingJob job, JobAction.PlaceGang place, CancellationToken ct)
    {
        foreach (var placement in place.Placements)
        {
            await ChangeAsync(placement, () => connection.Pods().MergePatchAsync(
                key.Namespace, placement.Pod, WithUid(GangPin.To(cluster.Pod(job, placement.Uid), placement.Node), placement.Uid), PhiNames.OperatorFieldManager, null, ct));
        }

        foreach (var placement in place.Placements)
        {
            await ChangeAsync(placement, () => connection.Pods().StrategicPatchAsync(
                key.Namespace, placement.Pod, WithUid(GangPin.Open(), placement.Uid), PhiNames.OperatorFieldManager, null, ct));
        }

        async Task ChangeAsync(Placement placement, Func<Task<V1Pod>> change)
        {
            try
            {
                cluster.Remember(await change());
            }
            catch (KubernetesApiException e) when (e.IsNotFound || e.IsConflict || e.Code == HttpStatusCode.UnprocessableEntity)
            {
                // Gone, another pod of that name by now, or not to be changed like that: trying again would not help.
                cluster.Refuse(job, new PlacementRefusal(placement.Pod, placement.Node, e.Message));
                throw;
            }
        }
    }

    private Task<TrainingJob> WriteStatusAsync(ResourceKey key, TrainingJobStatus status, string uid, CancellationToken ct) => connection.TrainingJobs().ApplyAsync(
        key.Namespace, key.Name,
        new JsonObject
        {
            ["apiVersion"] = PhiNames.ApiVersion,
            ["kind"] = "TrainingJob",
            ["metadata"] = new JsonObject { ["name"] = key.Name, ["uid"] = uid },
            ["status"] = JsonSerializer.SerializeToNode(status, PhiJson.Options),
        },
        PhiNames.OperatorFieldManager, "status", ct);

    private async Task FinalizeAsync(ResourceKey key, TrainingJob job, Func<IEnumerable<string>, IEnumerable<string>> change, CancellationToken ct)
    {
        var finalizers = change(job.Metadata.Finalizers ?? []).Select(name => (JsonNode?)name);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = job.Metadata.Uid, ["resourceVersion"] = job.Metadata.ResourceVersion, ["finalizers"] = new JsonArray([.. finalizers]) } };
        cluster.Remember(key, await connection.TrainingJobs().MergePatchAsync(key.Namespace, key.Name, patch, PhiNames.OperatorFieldManager, null, ct));
    }

    private static JsonObject WithUid(JsonObject patch, string uid)
    {
        patch["metadata"] = new JsonObject { ["uid"] = uid };
        return patch;
    }

    /// <summary>Whether the fields that this writer owns are as they were.</summary>
    private static bool IsSame(TrainingJobStatus? old, TrainingJobStatus status) =>
        JsonSerializer.SerializeToUtf8Bytes(old ?? new TrainingJobStatus(), Owned).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(status, Owned));

    /// <summary>A status without what has its own writer.</summary>
    private static JsonSerializerOptions OwnedFields()
    {
        string[] others = ["progress", "checkpoint", "goodput"];
        return new JsonSerializerOptions(PhiJson.Options)
        {
            TypeInfoResolver = new DefaultJsonTypeInfoResolver().WithAddedModifier(type =>
            {
                if (type.Type == typeof(TrainingJobStatus))
                {
                    type.Properties.Where(property => others.Contains(property.Name)).ToList().ForEach(property => property.ShouldSerialize = (_, _) => false);
                }
            }),
        };
    }
}
