namespace Phi.Chaos.Faults;

/// <summary>What a fault must do to the job's restarts.</summary>
public enum Charge
{
    /// <summary>Training never stops.</summary>
    None,

    /// <summary>A disruption: a new attempt that counts against nothing.</summary>
    Free,

    /// <summary>A fault of the job: counts against maxRestarts.</summary>
    Charged,
}

/// <summary>One kind of fault.</summary>
/// <param name="MostLostSteps">Steps that may be done again; null: twice the checkpoint interval, since a save in flight may be lost, and training waits only for the one before it.</param>
/// <param name="InjectAsync">Does it; returns how it is made good, once the job trains again.</param>
public sealed record Fault(string Name, Charge Charge, long? MostLostSteps, Func<FaultTarget, CancellationToken, Task<Func<Task>>> InjectAsync);

/// <summary>What a fault may hit: the cluster, and the job's pods with their nodes and processes as they are now.</summary>
public sealed record FaultTarget(ChaosCluster Cluster, Random Random, IReadOnlyList<(string Pod, string Node)> Placement, IReadOnlyList<PodProcess> Processes)
{
    public PodProcess AnyRank() => Any(Processes.Where(process => process.IsRank));

    public PodProcess AnyAgent() => Any(Processes.Where(process => !process.IsRank));

    public (string Pod, string Node) AnyPod() => Placement[Random.Next(Placement.Count)];

    public IEnumerable<PodProcess> On(string node) => Processes.Where(process => Placement.Any(place => place.Node == node && place.Pod == process.Pod));

    private PodProcess Any(IEnumerable<PodProcess> candidates)
    {
        var all = candidates.ToList();
        return all.Count > 0 ? all[Random.Next(all.Count)] : throw new ChaosException("the job trains, and none of its processes is to be found");
    }
}
