using System.Globalization;
using k8s;
using k8s.Models;
using Phi.Kubernetes.Scheduling;

namespace Phi.LocalCluster.Scheduling;

/// <summary>A pod without a node.</summary>
internal sealed class WaitingPod(V1Pod pod)
{
    public V1Pod Pod => pod;

    public IReadOnlyDictionary<string, decimal> Requests { get; } = PodRequests.Of(pod);

    public bool IsGated => pod.Spec.SchedulingGates is { Count: > 0 };

    /// <summary>What the filters read, as text: pods of one shape fit the same nodes.</summary>
    public string Shape { get; } = string.Join('\n', [
        .. PodRequests.Of(pod).OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value}")),
        Text(pod.Spec.NodeSelector),
        Text(pod.Spec.Affinity?.NodeAffinity),
        Text(pod.Spec.Tolerations),
    ]);

    private static string Text(object? value) => value is null ? "" : KubernetesJson.Serialize(value);
}
