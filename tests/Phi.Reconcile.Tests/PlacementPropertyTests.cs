using System.Collections.Immutable;
using CsCheck;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>What holds of every history of a small cluster: jobs come, end, lose pods and wait.</summary>
public sealed class PlacementPropertyTests
{
    private sealed record Event(int Kind, int Job, int Pod, int Replicas, int PerReplica, int Least, string? Require);

    [Fact]
    public void Decide_AnyHistory_NeverBreaksAGangOrANode() => Gen.Select(Nodes, Events.Array[1, 60]).Sample((nodes, events) =>
    {
        var cluster = new ToyCluster(nodes);
        foreach (var one in events)
        {
            Happen(cluster, one);
            foreach (var id in cluster.Ids)
            {
                Check(cluster, nodes, id);
            }
        }
    }, iter: 100);

    /// <summary>A gang as large as the cluster, while small ones come faster than they end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Decide_SmallGangsKeepComing_TheLargeOneIsPlacedOnlyIfRoomIsKept(bool keepsRoom)
    {
        const int Life = 3;
        var cluster = new ToyCluster([.. Enumerable.Range(0, 4).Select(i => new NodeSnapshot($"node-{i}", true, "cpu", 2))], keepsRoom);
        var started = new Dictionary<int, int>();
        for (var i = 0; i < 3; i++)
        {
            Settle(cluster, cluster.Add(1, 2));
        }

        var large = cluster.Add(4, 2);
        for (var round = 0; round < 40 && cluster.IsWaiting(large); round++)
        {
            cluster.Add(1, 2);
            cluster.Add(1, 2);
            foreach (var id in cluster.Ids.Where(id => id != large).Append(large).ToList())
            {
                Settle(cluster, id);
                if (!cluster.IsWaiting(id) && id != large && round - (started.TryGetValue(id, out var since) ? since : started[id] = round) >= Life)
                {
                    cluster.Remove(id);
                }
            }
        }

        Assert.Equal(keepsRoom, !cluster.IsWaiting(large));
    }

    /// <summary>Two gangs that each lost a pod, and room for one of them: one runs, whichever comes first, and the other says why it waits.</summary>
    [Fact]
    public void Decide_TwoGangsThatEachKeepAPart_DoNotWaitForEachOther()
    {
        var nodes = ImmutableArray.Create(new NodeSnapshot("a", true, "cpu", 2), new NodeSnapshot("b", true, "cpu", 2));
        var cluster = new ToyCluster([.. nodes, new NodeSnapshot("c", true, "cpu", 2), new NodeSnapshot("d", true, "cpu", 2)]);
        var ids = new[] { cluster.Add(2, 2), cluster.Add(2, 2) };
        Array.ForEach(ids, id => Settle(cluster, id));
        var small = new ToyCluster(nodes);
        Array.ForEach(ids, id => small.Add(2, 2));
        small.Adopt(cluster, ids[0], "a");
        small.Adopt(cluster, ids[1], "b");

        for (var round = 0; round < 10; round++)
        {
            Array.ForEach(ids, id => Settle(small, id));
            small.Wait(TimeSpan.FromSeconds(20));
        }

        Assert.False(small.IsWaiting(ids[0]));
        Assert.True(small.IsWaiting(ids[1]));
    }

    private static Gen<ImmutableArray<NodeSnapshot>> Nodes => Gen.Select(Gen.Int[0, 8], Gen.Int[0, 3]).Array[1, 6]
        .Select(nodes => nodes.Select((node, i) => new NodeSnapshot($"n{i}", true, "cpu", node.Item1) { Rack = node.Item2 == 0 ? null : $"r{node.Item2}" }).ToImmutableArray());

    private static Gen<Event> Events =>
        from kind in Gen.Int[0, 5]
        from job in Gen.Int[0, 20]
        from pod in Gen.Int[0, 4]
        from replicas in Gen.Int[1, 5]
        from perReplica in Gen.Int[1, 4]
        from least in Gen.Int[1, 5]
        from require in Gen.Bool
        select new Event(kind, job, pod, replicas, perReplica, Math.Min(least, replicas), require ? "rack" : null);

    private static void Happen(ToyCluster cluster, Event one)
    {
        var ids = cluster.Ids.ToList();
        switch (one.Kind)
        {
            case 0 or 1:
                cluster.Add(one.Replicas, one.PerReplica, job =>
                {
                    job.Spec.MinReplicas = one.Least;
                    job.Spec.Topology = one.Require is null ? null : new TopologySpec { Require = one.Require };
                });
                break;
            case 2 when ids.Count > 0:
                cluster.Remove(ids[one.Job % ids.Count]);
                break;
            case 3 when ids.Count > 0:
                cluster.LosePod(ids[one.Job % ids.Count], one.Pod);
                break;
            case 4:
                cluster.Wait(TimeSpan.FromSeconds(11));
                break;
        }
    }

    private static void Check(ToyCluster cluster, ImmutableArray<NodeSnapshot> nodes, int id)
    {
        var (before, decision, after) = cluster.Step(id);
        Assert.All(nodes, node => Assert.True(cluster.Used(node.Name) <= node.Free, $"{node.Name} has {node.Free}, used are {cluster.Used(node.Name)}"));
        Assert.False(string.IsNullOrWhiteSpace(decision.Message));
        foreach (var place in decision.Of<JobAction.PlaceGang>())
        {
            Assert.Equal(before.Pods.Count(pod => pod is { IsGated: true, IsLive: true }), place.Placements.Length);
            Assert.Equal(Enumerable.Range(0, after.Replicas), after.Pods.Select(pod => pod.Index).Order());
            Assert.All(after.Pods, pod => Assert.NotNull(pod.Place));
            Assert.InRange(after.Replicas, after.Job.Spec.MinReplicas!.Value, after.Job.Spec.Replicas!.Value);
            Assert.Empty(JobReconciler.Decide(after).Actions);
            if (after.Job.Spec.Topology?.Require is not null)
            {
                Assert.NotNull(Assert.Single(after.Pods.Select(pod => nodes.Single(node => node.Name == pod.Place).Rack).Distinct()));
            }
        }

        if (decision.Reason == "InsufficientCapacity")
        {
            Assert.Contains(decision.Status!.Conditions!, condition => condition is { Type: TrainingConditions.Placed, Status: "False" } && condition.Message == decision.Message);
        }
    }

    /// <summary>Until the job waits for something, or runs.</summary>
    private static void Settle(ToyCluster cluster, int id)
    {
        for (var i = 0; i < 8; i++)
        {
            if (cluster.Step(id).Decision is { Reason: "InsufficientCapacity" or "Placed" or "Starting" })
            {
                return;
            }
        }
    }
}
