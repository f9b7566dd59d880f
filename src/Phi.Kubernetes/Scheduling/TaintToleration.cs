using k8s.Models;

namespace Phi.Kubernetes.Scheduling;

/// <summary>
/// Tolerations as kube-scheduler's TaintToleration filter reads them: an empty effect stands for every effect, an empty key for every key
/// (with Exists alone). (kubernetes.io, "Taints and Tolerations")
/// </summary>
public static class TaintToleration
{
    public static bool Tolerates(IEnumerable<V1Toleration>? tolerations, V1Taint taint) => (tolerations ?? []).Any(toleration =>
        (string.IsNullOrEmpty(toleration.Effect) || toleration.Effect == taint.Effect)
        && (string.IsNullOrEmpty(toleration.Key) || toleration.Key == taint.Key)
        && toleration.OperatorProperty switch
        {
            "Exists" => true,
            null or "" or "Equal" => !string.IsNullOrEmpty(toleration.Key) && (toleration.Value ?? "") == (taint.Value ?? ""),
            _ => false,
        });
}
