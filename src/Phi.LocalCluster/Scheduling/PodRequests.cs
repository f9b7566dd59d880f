using System.Collections.Frozen;
using k8s.Models;

namespace Phi.LocalCluster.Scheduling;

/// <summary>What a pod takes of a node, by resource, as kube-scheduler's NodeResourcesFit counts it.</summary>
internal static class PodRequests
{
    /// <summary>
    /// One of <c>pods</c>, and for each resource the larger of what runs together (containers and sidecars) and of what each init
    /// container needs beside the sidecars that started before it; plus the pod's overhead.
    /// </summary>
    public static FrozenDictionary<string, decimal> Of(V1Pod pod)
    {
        var sum = new Dictionary<string, decimal>(StringComparer.Ordinal);
        var largest = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var container in pod.Spec.InitContainers ?? [])
        {
            var isSidecar = container.RestartPolicy == "Always";
            foreach (var (name, amount) in Requests(container.Resources?.Requests))
            {
                var beside = sum.GetValueOrDefault(name) + amount;
                largest[name] = Math.Max(largest.GetValueOrDefault(name), beside);
                if (isSidecar)
                {
                    sum[name] = beside;
                }
            }
        }

        foreach (var (name, amount) in pod.Spec.Containers.SelectMany(container => Requests(container.Resources?.Requests)))
        {
            sum[name] = sum.GetValueOrDefault(name) + amount;
        }

        foreach (var (name, amount) in largest)
        {
            sum[name] = Math.Max(sum.GetValueOrDefault(name), amount);
        }

        foreach (var (name, amount) in Requests(pod.Spec.Overhead))
        {
            sum[name] = sum.GetValueOrDefault(name) + amount;
        }

        sum["pods"] = 1;
        return sum.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static IEnumerable<(string Name, decimal Amount)> Requests(IDictionary<string, ResourceQuantity>? requests) =>
        (requests ?? new Dictionary<string, ResourceQuantity>()).Select(pair => (pair.Key, pair.Value.ToDecimal()));
}
