using System.Globalization;
using k8s.Models;
using Phi.Api.Metadata;
using Phi.Operator.Execute;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>From a pod of the API server to what a decision needs of it.</summary>
internal static class PodReader
{
    public static int Index(V1Pod pod) =>
        pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.ReplicaIndexLabel, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var index) ? index : -1;

    public static PodSnapshot Read(V1Pod pod)
    {
        var state = pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == PhiNames.TrainerContainer)?.State;
        var terminated = state?.Terminated;
        var waiting = Waiting(pod);
        var disruption = pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "DisruptionTarget", Status: "True" });
        return new PodSnapshot
        {
            Name = pod.Metadata.Name,
            Uid = pod.Metadata.Uid,
            Index = Index(pod),
            Phase = pod.Status?.Phase ?? "Pending",
            IsGated = pod.Spec.SchedulingGates?.Any(gate => gate.Name == PhiNames.GangGate) == true,
            Pin = GangPin.NodeOf(pod),
            Attempt = Annotation(pod, PhiNames.AttemptAnnotation),
            GangSize = Annotation(pod, PhiNames.GangSizeAnnotation),
            NotScheduled = pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False", Reason: not "SchedulingGated" })?.Message,
            IsDeleting = pod.Metadata.DeletionTimestamp is not null,
            IsDisrupted = disruption is not null,
            DisruptionReason = disruption?.Reason,
            DisruptionMessage = disruption?.Message,
            DeleteBy = Time(pod.Metadata.DeletionTimestamp),
            BoundSince = Time(pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "True" })?.LastTransitionTime),
            WaitingReason = waiting?.Reason,
            WaitingMessage = waiting?.Message,
            RunningSince = Time(state?.Running?.StartedAt),
            Node = string.IsNullOrEmpty(pod.Spec.NodeName) ? null : pod.Spec.NodeName,
            Ip = pod.Status?.PodIP,
            ExitCode = terminated?.ExitCode,
            Reason = pod.Status?.Reason ?? terminated?.Reason,
            Message = pod.Status?.Message ?? LastLine(terminated?.Message),
        };
    }

    /// <summary>What the first of its containers that is not started waits for; one whose node names a cause comes before those that wait for another.</summary>
    private static V1ContainerStateWaiting? Waiting(V1Pod pod) => (pod.Status?.InitContainerStatuses ?? []).Concat(pod.Status?.ContainerStatuses ?? [])
        .Select(status => status.State?.Waiting).OfType<V1ContainerStateWaiting>().OrderBy(waiting => string.IsNullOrEmpty(waiting.Message) ? 1 : 0).FirstOrDefault();

    private static int? Annotation(V1Pod pod, string name) =>
        pod.Metadata.Annotations is { } annotations && annotations.TryGetValue(name, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static DateTimeOffset? Time(DateTime? time) => time is { } given ? new DateTimeOffset(given.ToUniversalTime()) : null;

    private static string? LastLine(string? text) => text?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [.., var last] ? last : null;
}
