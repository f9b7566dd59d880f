using System.Collections.Immutable;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>How many pods of a job each node takes.</summary>
internal static class GangRooms
{
    /// <summary>Nodes of the job's kind of accelerators where its pods may go.</summary>
    /// <param name="returned">Pods of the job itself whose room counts as free.</param>
    public static ImmutableArray<Spot> Of(JobSnapshot snapshot, IReadOnlyCollection<PodSnapshot> returned, IReadOnlyDictionary<string, KeptRoom> kept)
    {
        var back = returned.Where(pod => pod.Place is not null).CountBy(pod => pod.Place!).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        return [.. Usable(snapshot).Select(node => new Spot(node, Room(snapshot.PerReplica, node, back.GetValueOrDefault(node.Name), kept.GetValueOrDefault(node.Name))))];
    }

    public static IEnumerable<NodeSnapshot> Usable(JobSnapshot snapshot) => OfType(snapshot).Where(node => WhyNot(snapshot, node) is null);

    public static IEnumerable<NodeSnapshot> OfType(JobSnapshot snapshot) => snapshot.Nodes.Where(node => node.AcceleratorType == snapshot.Job.Spec.Accelerator!.Type);

    /// <summary>Null: pods of the job may go there.</summary>
    public static string? WhyNot(JobSnapshot snapshot, NodeSnapshot node) =>
        NodeExclusion.Find(snapshot, node.Name) is not null ? "is excluded"
        : node.Obstacle ?? (node.IsReady ? null : "is not ready");

    private static int Room(int each, NodeSnapshot node, int returned, KeptRoom? kept)
    {
        var accelerators = Math.Max(0, node.Free + returned * each - (kept?.Accelerators ?? 0)) / each;
        return node.MostPods is { } most ? Math.Max(0, Math.Min(accelerators, most + returned - (kept?.Pods ?? 0))) : accelerators;
    }
}
