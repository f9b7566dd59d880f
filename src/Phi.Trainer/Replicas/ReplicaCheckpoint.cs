using Phi.Checkpoints.Format;

namespace Phi.Trainer.Replicas;

/// <summary>Copies of one step that make a whole checkpoint together, and the pods that hold them.</summary>
/// <param name="Holders">By the shard's index: the pods that have it, as indexes of the gang.</param>
/// <param name="History">See <see cref="ReplicaPart"/>.</param>
internal sealed record ReplicaCheckpoint(CheckpointManifest Manifest, IReadOnlyList<IReadOnlyList<int>> Holders, string? History)
{
    /// <summary>What is whole among the parts of all pods, the newest first.</summary>
    /// <param name="pods">What each pod of the gang holds.</param>
    public static IReadOnlyList<ReplicaCheckpoint> Of(string runId, IEnumerable<(int Pod, IReadOnlyList<ReplicaPart> Parts)> pods) =>
    [
        .. pods.SelectMany(pod => pod.Parts.Where(part => part.Manifest.RunId == runId).Select(part => (pod.Pod, Part: part)))
            .GroupBy(held => (held.Part.Manifest.Step, held.Part.Manifest.Attempt, held.Part.Manifest.WorldSize))
            .Select(step => TryJoin([.. step])).OfType<ReplicaCheckpoint>()
            .OrderByDescending(whole => whole.Manifest.Step).ThenByDescending(whole => whole.Manifest.Attempt),
    ];

    private static ReplicaCheckpoint? TryJoin(IReadOnlyList<(int Pod, ReplicaPart Part)> held)
    {
        var shards = held.ToLookup(one => one.Part.Index);
        var manifest = held[0].Part.Manifest;
        return Enumerable.Range(0, manifest.WorldSize).All(shards.Contains)
            ? new ReplicaCheckpoint(
                manifest with { Shards = [.. Enumerable.Range(0, manifest.WorldSize).Select(index => shards[index].First().Part.Shard)] },
                [.. Enumerable.Range(0, manifest.WorldSize).Select(index => (IReadOnlyList<int>)[.. shards[index].Select(one => one.Pod)])],
                shards[0].Select(one => one.Part.History).FirstOrDefault())
            : null;
    }
}
