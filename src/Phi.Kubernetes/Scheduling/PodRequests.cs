using k8s.Models;

namespace Phi.Kubernetes.Scheduling;

/// <summary>
/// What a pod takes of its node, as kube-scheduler counts it (kubernetes.io, "Pod Overhead", "Init containers", "Sidecar containers"): the
/// sum of the containers and sidecars, or the largest init container with the sidecars started before it if that is more, then the pod's
/// own requests, which win, and its overhead.
/// </summary>
public static class PodRequests
{
    /// <summary>Amounts by resource in base units; <c>pods</c> is 1.</summary>
    public static Dictionary<string, decimal> Of(V1Pod pod)
    {
        var (sum, sidecars, start) = (New(), New(), New());
        foreach (var container in pod.Spec.Containers)
        {
            Add(sum, container.Resources?.Requests);
        }

        foreach (var container in pod.Spec.InitContainers ?? [])
        {
            if (container.RestartPolicy == "Always")
            {
                Add(sum, container.Resources?.Requests);
                Add(sidecars, container.Resources?.Requests);
                Raise(start, sidecars);
            }
            else
            {
                var step = new Dictionary<string, decimal>(sidecars, StringComparer.Ordinal);
                Add(step, container.Resources?.Requests);
                Raise(start, step);
            }
        }

        Raise(sum, start);
        foreach (var (name, quantity) in pod.Spec.Resources?.Requests ?? New<ResourceQuantity>())
        {
            sum[name] = quantity.ToDecimal();
        }

        Add(sum, pod.Spec.Overhead);
        sum["pods"] = 1;
        return sum;
    }

    private static Dictionary<string, decimal> New() => New<decimal>();

    private static Dictionary<string, T> New<T>() => new(StringComparer.Ordinal);

    private static void Add(Dictionary<string, decimal> sum, IDictionary<string, ResourceQuantity>? amounts)
    {
        foreach (var (name, quantity) in amounts ?? New<ResourceQuantity>())
        {
            sum[name] = sum.GetValueOrDefault(name) + quantity.ToDecimal();
        }
    }

    private static void Raise(Dictionary<string, decimal> sum, Dictionary<string, decimal> least)
    {
        foreach (var (name, amount) in least)
        {
            sum[name] = Math.Max(sum.GetValueOrDefault(name), amount);
        }
    }
}
