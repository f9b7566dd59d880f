using k8s.Models;
using Phi.Kubernetes.Scheduling;

namespace Phi.LocalCluster.Scheduling;

/// <summary>Taints and tolerations as kube-scheduler's TaintToleration and NodeUnschedulable filters read them.</summary>
internal static class Tolerations
{
    private static readonly V1Taint Unschedulable = new() { Key = "node.kubernetes.io/unschedulable", Effect = "NoSchedule" };

    /// <summary>The first taint that keeps the pod off the node; null if there is none. PreferNoSchedule keeps nobody off.</summary>
    public static V1Taint? FirstUntolerated(V1Pod pod, V1Node node) =>
        (node.Spec?.Taints ?? []).FirstOrDefault(taint => taint.Effect is "NoSchedule" or "NoExecute" && !Tolerates(pod, taint));

    /// <summary>How many PreferNoSchedule taints of the node the pod does not tolerate: fewer is better.</summary>
    public static int Unwanted(V1Pod pod, V1Node node) =>
        (node.Spec?.Taints ?? []).Count(taint => taint.Effect == "PreferNoSchedule" && !Tolerates(pod, taint));

    /// <summary>A cordoned node takes the pods that tolerate the taint which a cordon stands for.</summary>
    public static bool ToleratesCordon(V1Pod pod) => Tolerates(pod, Unschedulable);

    private static bool Tolerates(V1Pod pod, V1Taint taint) => TaintToleration.Tolerates(pod.Spec.Tolerations, taint);
}
