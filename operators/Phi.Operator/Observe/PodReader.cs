using System.Globalization;
using k8s.Models;
using Phi.Api.Metadata;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>From a pod of the API server to what a decision needs of it.</summary>
internal static class PodReader
{
    public static int Index(V1Pod pod) =>
        pod.Metadata.Labels is { } labels && labels.TryGetValue(PhiNames.ReplicaIndexLabel, out var text) && int.TryParse(text, CultureInfo.InvariantCulture, out var index) ? index : -1;

    public static PodSnapshot Read(V1Pod pod)
    {
        var terminated = pod.Status?.ContainerStatuses?.FirstOrDefault(status => status.Name == PhiNames.TrainerContainer)?.State?.Terminated;
        return new PodSnapshot
        {
            Name = pod.Metadata.Name,
            Uid = pod.Metadata.Uid,
            Index = Index(pod),
            Attempt = pod.Metadata.Annotations is { } notes && notes.TryGetValue(PhiNames.AttemptAnnotation, out var attempt) && int.TryParse(attempt, CultureInfo.InvariantCulture, out var number) ? number : 0,
            Phase = pod.Status?.Phase ?? "Pending",
            IsGated = pod.Spec.SchedulingGates?.Any(gate => gate.Name == PhiNames.GangGate) == true,
            IsDeleting = pod.Metadata.DeletionTimestamp is not null,
            IsDisrupted = pod.Status?.Conditions?.Any(condition => condition is { Type: "DisruptionTarget", Status: "True" }) == true,
            Node = string.IsNullOrEmpty(pod.Spec.NodeName) ? null : pod.Spec.NodeName,
            Ip = pod.Status?.PodIP,
            ExitCode = terminated?.ExitCode,
            Reason = pod.Status?.Reason ?? terminated?.Reason,
            Message = pod.Status?.Message ?? LastLine(terminated?.Message),
        };
    }

    private static string? LastLine(string? text) => text?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [.., var last] ? last : null;
}
