using System.Text.Json.Nodes;
using k8s.Models;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Operator.Execute;
using Phi.Reconcile.Decisions;
using Xunit;

namespace Phi.Operator.Tests;

/// <summary>Gangs on an API server: what is pinned, opened, refused, withdrawn; and that no room is given away twice.</summary>
public sealed class PlacementTests : IAsyncLifetime
{
    private readonly PlacementBed _bed = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _bed.InitializeAsync();

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Place_AGangThatFits_IsBoundWhereTheOperatorPutIt()
    {
        await _bed.AddNodeAsync("a", 2, labels: (PhiNames.RackLabel, "r1"));
        await _bed.AddNodeAsync("b", 4, labels: (PhiNames.RackLabel, "r2"));
        _bed.StartScheduler();
        var key = await _bed.AddJobAsync("job", 2, job => job.Spec.Topology = new TopologySpec { Require = "rack" });

        var placed = await _bed.StepsUntilAsync(key, "Placed");
        await _bed.UntilAsync(() => _bed.Cluster.PodsOf(_bed.Cluster.Job(key)!).All(pod => pod.Spec.NodeName == "b"));
        var status = (await _bed.StepAsync(key)).Status!;

        Assert.Equal("2 pods placed on b in rack r2", placed.Message);
        Assert.All(status.Placement!, pod => Assert.Equal(("b", "r2"), (pod.Node, pod.Domain)));
    }

    [Fact]
    public async Task Create_APodThatAdmissionRefuses_IsToldUntilItIsTaken()
    {
        await _bed.AddNodeAsync("a", 4);
        var key = await _bed.AddJobAsync("job", 2, job => job.Spec.PriorityClassName = "missing");
        await Assert.ThrowsAsync<KubernetesApiException>(() => _bed.StepsUntilAsync(key, "Placed"));

        await Assert.ThrowsAsync<KubernetesApiException>(() => _bed.StepAsync(key));

        var refused = _bed.Cluster.Job(key)!.Status!.Conditions!.Find(condition => condition.Type == TrainingConditions.Admitted)!;
        Assert.Equal(("False", "FailedCreate"), (refused.Status, refused.Reason));
        Assert.Equal("creating 2 pods of 2 is refused by the API server (pods \"job-0\" is forbidden: no PriorityClass with name missing was found); it is tried again", refused.Message);
        await _bed.Connection.PriorityClasses().CreateAsync("", new V1PriorityClass { Metadata = new V1ObjectMeta { Name = "missing" }, Value = 1 }, "test", Ct);
        Assert.Equal("FailedCreate", (await _bed.StepAsync(key)).Reason);
        Assert.Equal("Placed", (await _bed.StepsUntilAsync(key, "Placed")).Reason);
    }

    [Fact]
    public async Task Decide_ManyJobsAtOnceForOneRoom_OneGetsIt()
    {
        await _bed.AddNodeAsync("a", 4);
        var keys = new List<ResourceKey>();
        for (var i = 0; i < 6; i++)
        {
            keys.Add(await _bed.AddJobAsync($"job{i}", 2, job => job.Spec.Accelerator!.PerReplica = 2));
            await _bed.StepsUntilAsync(keys[i], "CreatingPods");
        }

        // Nothing of these decisions is written; each still counts for the others.
        var decisions = await Task.WhenAll(keys.Select(key => Task.Run(() => _bed.Decide(key), Ct)));

        var place = Assert.Single(decisions, decision => decision.Reason == "Placed");
        Assert.Same(place, decisions[0]);
        Assert.All(decisions.Skip(1), decision => Assert.StartsWith("2 pods of 2 cpu do not fit: ", decision.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Decide_OtherRequestsThatDoNotFit_SayWhichResourceIsShort()
    {
        await _bed.AddNodeAsync("a", 8, memory: "3Gi");
        var key = await _bed.AddJobAsync("job", 2, job => job.Spec.Template = new PodTemplateSpec { Resources = JsonNode.Parse("""{"requests": {"memory": "2Gi"}}""")!.AsObject() });

        var decision = await _bed.StepsUntilAsync(key, "InsufficientCapacity");

        Assert.Equal("2 pods of 2 cpu do not fit: 8 are free on 1 node, memory is short on 1 node", decision.Message);
    }

    [Fact]
    public async Task Place_GatesAndAffinityOfOthers_AreKept()
    {
        await _bed.AddNodeAsync("a", 4);
        var key = await _bed.AddJobAsync("job", 1);
        await _bed.StepsUntilAsync(key, "CreatingPods");
        var job = _bed.Cluster.Job(key)!;
        var pod = GangPod.Pod(_bed.Cluster.Read(job).Job, 0, "other", 1, new OperatorAddress("https://127.0.0.1:1", ""));
        pod["spec"]!["schedulingGates"]!.AsArray().Add((JsonNode)new JsonObject { ["name"] = "example.com/budget" });
        pod["spec"]!["affinity"] = JsonNode.Parse("""{"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "Exists"}]}]}}}""");
        var created = await _bed.Connection.Pods().ApplyAsync("default", "other", pod, "test", null, Ct);
        _bed.Cluster.Remember(created);

        await _bed.Executor.ExecuteAsync(job, _bed.Cluster.Read(job).Job, new JobDecision { Actions = [new JobAction.PlaceGang([new Placement("other", created.Metadata.Uid, "a")])], Reason = "Placed", Message = "placed" }, Ct);

        var after = (await _bed.Connection.Pods().GetAsync("default", "other", Ct))!;
        Assert.Equal("example.com/budget", Assert.Single(after.Spec.SchedulingGates).Name);
        var term = Assert.Single(after.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms);
        Assert.Equal(("zone", "a"), (Assert.Single(term.MatchExpressions).Key, Assert.Single(Assert.Single(term.MatchFields).Values)));
        Assert.Equal("a", GangPin.NodeOf(after));
    }

    [Fact]
    public async Task Place_APodThatIsGone_OpensNoGateAndWithdrawsTheGang()
    {
        await _bed.AddNodeAsync("a", 4);
        var key = await _bed.AddJobAsync("job", 2);
        await _bed.StepsUntilAsync(key, "CreatingPods");
        var (snapshot, decision) = _bed.Observer.Decide(_bed.Cluster.Job(key)!);
        await _bed.Connection.Pods().DeleteAsync("default", "job-1", null, 0, Ct);

        await Assert.ThrowsAsync<KubernetesApiException>(() => _bed.Executor.ExecuteAsync(_bed.Cluster.Job(key)!, snapshot.Job, decision, Ct));
        var left = Assert.Single(await _bed.PodsAsync());
        var withdrawn = await _bed.StepAsync(key);
        await _bed.StepsUntilAsync(key, "Placed");

        Assert.Single(left.Spec.SchedulingGates);
        Assert.Equal("WithdrawnRefused", withdrawn.Reason);
        Assert.StartsWith("the gang is withdrawn: the API server did not let pod job-1 go to a (", withdrawn.Message, StringComparison.Ordinal);
        Assert.Equal((1, 2), (_bed.Cluster.Job(key)!.Status!.Attempt, (await _bed.PodsAsync()).Count));
    }

    [Fact]
    public async Task Place_ANodeThatDoesNotTakeItsPod_IsLeftOutWithTheSchedulersWords()
    {
        await _bed.AddNodeAsync("a", 4);
        await _bed.AddNodeAsync("b", 6);
        _bed.StartScheduler();
        var key = await _bed.AddJobAsync("job", 2);
        await _bed.StepsUntilAsync(key, "CreatingPods");
        var (snapshot, decision) = _bed.Observer.Decide(_bed.Cluster.Job(key)!);
        await _bed.TaintAsync("a");
        await _bed.Executor.ExecuteAsync(_bed.Cluster.Job(key)!, snapshot.Job, decision, Ct);
        await _bed.UntilAsync(() => _bed.Cluster.PodsOf(_bed.Cluster.Job(key)!).All(pod => pod.Status?.Conditions?.Any(condition => condition.Reason == "Unschedulable") == true));

        _bed.Clock.Advance(TimeSpan.FromSeconds(60));
        var withdrawn = await _bed.StepAsync(key);
        var back = _bed.Clock.GetUtcNow().AddSeconds(10).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var waiting = await _bed.StepsUntilAsync(key, "BackingOff");
        _bed.Clock.Advance(TimeSpan.FromSeconds(10));
        await _bed.StepsUntilAsync(key, "Placed");
        await _bed.UntilAsync(() => _bed.Cluster.PodsOf(_bed.Cluster.Job(key)!).All(pod => pod.Spec.NodeName == "b"));

        Assert.Equal($"its gang was withdrawn once because a pod was not bound in time; it is considered again from {back} on", waiting.Message);
        Assert.Equal("WithdrawnNotBound", withdrawn.Reason);
        Assert.Equal(
            $"the gang is withdrawn: pod job-0 and 1 more were not bound to a within 60 s (0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {{broken: }}); a is left out for a while; it is placed anew at attempt 1 after 10 s, from {back} on, no restart is charged",
            withdrawn.Message);
        Assert.Equal("a", Assert.Single(_bed.Cluster.Job(key)!.Status!.ExcludedNodes!).Node);
    }

    [Fact]
    public async Task Watch_APodWhoseImageCannotBePulled_IsReplacedInAChargedAttemptWithTheKubeletsWords()
    {
        await _bed.AddNodeAsync("a", 4);
        _bed.StartScheduler();
        var key = await _bed.AddJobAsync("job", 2, job => job.Spec.Recovery = new RecoverySpec { StartTimeout = "1m" });
        await _bed.StepsUntilAsync(key, "Placed");
        await _bed.UntilAsync(() => _bed.Cluster.PodsOf(_bed.Cluster.Job(key)!).All(pod => pod.Spec.NodeName == "a"));
        var pods = await _bed.PodsAsync();
        await _bed.SetRunningAsync(pods[0], "127.1.0.1");
        await _bed.SetWaitingAsync(pods[1], "ImagePullBackOff", "Back-off pulling image \"none:1\"");

        var starting = await _bed.StepAsync(key);
        var told = _bed.Cluster.Job(key)!.Status!.Conditions!.Find(condition => condition.Type == TrainingConditions.Training)!;
        // The server's own time goes on meanwhile.
        _bed.Clock.Advance(TimeSpan.FromHours(1));
        var ended = await _bed.StepAsync(key);
        await _bed.Connection.Pods().DeleteAsync("default", "job-1", null, 0, Ct);
        _bed.Clock.Advance(TimeSpan.FromSeconds(1));
        await _bed.StepsUntilAsync(key, "Placed");
        var status = _bed.Cluster.Job(key)!.Status!;

        Assert.Equal(("Starting", "attempt 1 is starting: pod job-1 on a cannot start: ImagePullBackOff: Back-off pulling image \"none:1\""), (starting.Reason, told.Message));
        Assert.Equal(("StartTimeout", true), (ended.Reason, ended.IsWarning));
        Assert.StartsWith("attempt 1 ended: pod job-1 on a has not started within recovery.startTimeout (1m): ImagePullBackOff: Back-off pulling image \"none:1\"; attempt 2 (charged)", ended.Message, StringComparison.Ordinal);
        Assert.Equal((2, 1, 0, "StartTimeout"), (status.Attempt, status.Restarts, status.FreeRestarts, status.Interruptions![0].Reason));
        Assert.Equal(["job-0", "job-a2-1"], (await _bed.PodsAsync()).Select(pod => pod.Metadata.Name));
    }

    [Fact]
    public async Task Assign_GangSmallerThanAsked_HasItsOwnWorldAndStopsToGrow()
    {
        await _bed.AddNodeAsync("a", 4);
        var key = await _bed.AddJobAsync("job", 3, job => job.Spec.MinReplicas = 1);
        await _bed.StepsUntilAsync(key, "InsufficientCapacity");
        _bed.Clock.Advance(TimeSpan.FromSeconds(10));
        await _bed.StepsUntilAsync(key, "Placed");
        foreach (var (index, pod) in (await _bed.PodsAsync()).Index())
        {
            await _bed.SetRunningAsync(pod, $"127.1.0.{index + 1}");
        }

        var job = _bed.Cluster.Job(key)!;
        var first = (await _bed.PodsAsync())[0];
        var assignment = _bed.Hub.Assign(new AssignmentRequest { Namespace = "default", Job = "job", JobUid = job.Metadata.Uid!, Pod = "job-0", PodUid = first.Metadata.Uid, PodIp = "127.1.0.1", ReplicaIndex = 0 }, _bed.Tokens)!.Assignment;
        var before = Beat(job, first.Metadata.Uid);
        job.Status!.Conditions!.Add(new Condition { Type = TrainingConditions.Resizing, Status = "True" });

        Assert.Equal((2, 4), (assignment!.Replicas, assignment.WorldSize));
        Assert.Equal((AgentCommand.Continue, AgentCommand.Stop), (before, Beat(job, first.Metadata.Uid)));
    }

    private AgentCommand Beat(TrainingJob job, string podUid) => _bed.Hub.Beat(
        new Heartbeat { Namespace = "default", Job = "job", JobUid = job.Metadata.Uid!, Pod = "job-0", PodUid = podUid, ReplicaIndex = 0, Attempt = 1, Ranks = [] }, out _)!.Command;

    [Fact]
    public async Task Update_OfManagedBy_IsRefused()
    {
        await _bed.AddJobAsync("ours", 1, job => job.Spec.ManagedBy = PhiNames.Manager);
        await _bed.AddJobAsync("free", 1);

        foreach (var name in new[] { "ours", "free" })
        {
            var patch = new JsonObject { ["spec"] = new JsonObject { ["managedBy"] = "kueue.x-k8s.io/multikueue" } };
            var refused = await Assert.ThrowsAsync<KubernetesApiException>(() => _bed.Connection.TrainingJobs().MergePatchAsync("default", name, patch, "test", null, Ct));
            Assert.Contains("managedBy must not change; delete the job and create it anew for the other controller", refused.Message, StringComparison.Ordinal);
        }
    }
}
