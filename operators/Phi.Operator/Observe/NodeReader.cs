using Phi.Api.Metadata;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Observe;

/// <summary>A node as pods of one shape see it: whether they may go there, and how many of them what is free suffices for.</summary>
internal static class NodeReader
{
    public static string ResourceOf(string acceleratorType) => acceleratorType == "cpu" ? PhiNames.CpuSlotResource : PhiNames.GpuResource;

    public static NodeSnapshot Read(NodeFacts node, PodShape shape, NodeUsage usage)
    {
        var resource = ResourceOf(node.AcceleratorType);
        var (most, scarce) = Fit(resource, name => usage.Used(node.Name, name));
        return NodeHealthReader.Judge(new NodeSnapshot(node.Name, node.IsReady && !node.IsCordoned, node.AcceleratorType, (int)(node.Allocatable.GetValueOrDefault(resource) - usage.Used(node.Name, resource)))
        {
            Obstacle = shape.WhyNot(node),
            MostPods = most,
            Scarce = scarce,
            Capacity = Math.Min(Fit(null, name => usage.UsedByOthers(node.Name, name)).Pods, int.MaxValue),
            NvlinkDomain = node.Label(PhiNames.NvlinkDomainLabel),
            Rack = node.Label(PhiNames.RackLabel),
            Zone = node.Label(PhiNames.ZoneLabel),
            Health = NodeHealthReader.Read(node.Node),
        });

        (int Pods, string? Scarce) Fit(string? without, Func<string, decimal> used)
        {
            var (pods, least) = (int.MaxValue, (string?)null);
            foreach (var (name, each) in shape.Requests)
            {
                if (each > 0 && name != without && (int)Math.Clamp(Math.Floor((node.Allocatable.GetValueOrDefault(name) - used(name)) / each), 0, int.MaxValue) is var here && here < pods)
                {
                    (pods, least) = (here, name);
                }
            }

            return (pods, least);
        }
    }
}
