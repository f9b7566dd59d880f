using System.Collections.Immutable;
using System.Text.Json;
using CsCheck;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests;

/// <summary>What must hold of recovery whatever pods, agents and nodes say.</summary>
public sealed class RecoveryPropertyTests
{
    [Fact]
    public void Decide_AnyEndOfAnAttempt_RecordsItOnceAndCountsItRightly() => Snapshots.Sample(snapshot =>
    {
        var (before, after) = (snapshot.Status, JobReconciler.Decide(snapshot).Status);
        if (after is null)
        {
            return;
        }

        var old = before.Interruptions?.Count ?? 0;
        var hasNext = after.Attempt > before.Attempt && before.Attempt > 0;
        var hasFailed = after.Phase == TrainingPhase.Failed && before.Phase is TrainingPhase.Starting or TrainingPhase.Running;
        Assert.True(after.Attempt >= before.Attempt);
        Assert.Equal(old + (hasNext || hasFailed ? 1 : 0), after.Interruptions?.Count ?? 0);
        var isCharged = hasNext && after.Interruptions![^1].Charged == true;
        Assert.Equal((before.Restarts ?? 0) + (isCharged ? 1 : 0), after.Restarts);
        Assert.Equal((before.FreeRestarts ?? 0) + (hasNext && !isCharged ? 1 : 0), after.FreeRestarts);
        Assert.True(!hasNext || after.Interruptions![^1].Attempt == before.Attempt);
    });

    [Fact]
    public void Decide_AnySnapshot_KeepsRestartsWithinTheLimitOfTheWindow() => Snapshots.Sample(snapshot =>
    {
        if (JobReconciler.Decide(snapshot).Status is { } after && after.Restarts > (snapshot.Status.Restarts ?? 0))
        {
            var counted = after.ChargedRestartTimes!.Count(time => snapshot.Now - time < TimeSpan.FromHours(1));
            Assert.True(counted <= snapshot.Job.Spec.Recovery!.MaxRestarts);
        }
    });

    /// <summary>A rank on a pod that is taken away by force must neither be assigned nor be alive for all that is known.</summary>
    [Fact]
    public void Decide_AnyForcedDeletion_IsFenced() => Snapshots.Sample(snapshot =>
    {
        foreach (var delete in JobReconciler.Decide(snapshot).Of<JobAction.DeletePod>().Where(delete => delete.GracePeriodSeconds == 0))
        {
            var pod = snapshot.Pods.Single(pod => pod.Uid == delete.Uid);
            var heard = snapshot.Agents.FirstOrDefault(agent => agent.PodUid == pod.Uid)?.LastSeen ?? pod.RunningSince;
            var isDown = snapshot.Nodes.All(node => node.Name != pod.Node || NodeTrouble.Of(node) is { IsDown: true });
            Assert.True(pod.IsDeleting);
            Assert.True(isDown || snapshot.Now - heard >= TimeSpan.FromSeconds(10));
            Assert.True(snapshot.Status.Phase is not (TrainingPhase.Starting or TrainingPhase.Running) || snapshot.Job.Spec.Suspend == true);
        }
    });

    /// <summary>Decided and carried out until nothing is left to do, a decision no longer acts nor changes the status.</summary>
    [Fact]
    public void Decide_AfterEverythingWasCarriedOut_DoesNothing() => Snapshots.Sample(snapshot =>
    {
        var reasons = new List<string>();
        for (var round = 0; round < 20; round++)
        {
            var decision = JobReconciler.Decide(snapshot);
            reasons.Add(decision.Reason);
            if (decision.Actions.IsEmpty && (decision.Status is null || Json(decision.Status) == Json(snapshot.Status)))
            {
                return;
            }

            snapshot = snapshot.After(decision);
        }

        Assert.Fail($"still acting: {string.Join(", ", reasons)}");
    });

    private static string Json(TrainingJobStatus status)
    {
        var own = JsonSerializer.Deserialize<TrainingJobStatus>(JsonSerializer.Serialize(status, PhiJson.Options), PhiJson.Options)!;
        (own.Progress, own.Checkpoint, own.Goodput) = (null, null, null);
        return JsonSerializer.Serialize(own, PhiJson.Options);
    }

    private static Gen<JobSnapshot> Snapshots => Gen.Select(Job, Pods, Agents, Nodes, Gen.Int[0, 60]).Select((job, pods, agents, nodes, listening) => Jobs.New(job) with
    {
        Pods = pods,
        Agents = agents,
        Nodes = nodes,
        ListeningSince = Now.AddSeconds(-listening),
        Now = Now,
    });

    private static DateTimeOffset Now => Jobs.Start.AddMinutes(30);

    private static Gen<Action<TrainingJob>> Job => Gen.Select(
        OneOf(null, TrainingPhase.Pending, TrainingPhase.Starting, TrainingPhase.Running, TrainingPhase.Restarting, TrainingPhase.Suspended, TrainingPhase.Failed),
        Gen.Int[0, 3], OneOf("Stop", "Rollback"), OneOf("Report", "ExcludeNode"), OneOf(null, "Restart", "RestartFree", "Fail", "ExcludeNode"), Gen.Bool, Gen.Int[0, 5], Gen.Int[0, 4])
        .Select((phase, charged, divergence, straggler, rule, isSuspended, minutes, rollbacks) => (Action<TrainingJob>)(job =>
        {
            job.Spec.Suspend = isSuspended && phase is not null;
            job.Spec.Recovery = new RecoverySpec
            {
                RestartWindow = "1h",
                HangTimeout = "1m",
                Divergence = new DivergenceSpec { Action = divergence },
                Stragglers = new StragglerSpec { Action = straggler },
                Rules = rule is null ? null : [new RecoveryRuleSpec { ExitCodes = [1, 14], Reasons = null, Action = rule }, new RecoveryRuleSpec { Reasons = ["AgentSilent"], Action = rule }],
            };
            job.Status = new TrainingJobStatus
            {
                Phase = phase,
                Attempt = phase is null ? 0 : 1,
                Rollbacks = rollbacks,
                ChargedRestartTimes = [.. Enumerable.Repeat(Now.AddMinutes(-20 * minutes), charged)],
                Checkpoint = new CheckpointStatus { Step = 5 },
                Interruptions = [new InterruptionStatus { Attempt = 0 }],
            };
        }));

    private static Gen<ImmutableArray<PodSnapshot>> Pods => Gen.Select(Gen.Int[0, 1], OneOf("Pending", "Running", "Running", "Succeeded", "Failed"), Gen.Bool, Gen.Bool, Gen.Bool, ExitCodes, Gen.Int[0, 2], Gen.Int[-20, 20])
        .Select((index, phase, isGated, isDeleting, isDisrupted, exit, node, by) => Jobs.Pod(index, phase) with
        {
            IsGated = isGated && phase == "Pending",
            IsDeleting = isDeleting && index == 1,
            DeleteBy = isDeleting && index == 1 ? Now.AddSeconds(by) : null,
            IsDisrupted = isDisrupted && phase == "Failed",
            ExitCode = phase == "Failed" ? exit : null,
            Node = isGated && phase == "Pending" ? null : $"node-{node}",
            RunningSince = phase == "Running" ? Now.AddSeconds(-20 + by) : null,
        }).Array[0, 3].Select(pods => pods.DistinctBy(pod => pod.Index).ToImmutableArray());

    private static Gen<ImmutableArray<AgentSnapshot>> Agents => Gen.Select(Gen.Int[0, 1], Gen.Enum<RankState>(), ExitCodes, Gen.Int[0, 15], Gen.Int[0, 90], Gen.Int[0, 25], OneOf(null, "Preempt", "Freeze"), Gen.Int[0, 1])
        .Select((index, state, exit, silent, stood, slow, notice, attempt) => Jobs.Training(index, 12, rank => rank with
        {
            State = rank.Rank % 2 == 0 ? state : RankState.Training,
            ExitCode = rank.Rank % 2 == 0 && state == RankState.Failed ? exit ?? 1 : null,
            DivergedBatch = 7,
            BusySecondsPerStep = 1,
        }) with
        {
            Attempt = attempt,
            LastSeen = Now.AddSeconds(-silent),
            ProgressAt = Now.AddSeconds(-stood),
            EndedSince = Now.AddSeconds(-silent),
            SlowSteps = ImmutableDictionary<int, long>.Empty.Add(index * 2, slow),
            Notice = notice is null ? null : new DisruptionNotice("file", notice, null),
        }).Array[0, 3].Select(agents => agents.DistinctBy(agent => agent.PodUid).ToImmutableArray());

    private static Gen<ImmutableArray<NodeSnapshot>> Nodes => Gen.Select(OneOf("True", "True", "False", "Unknown"), OneOf(null, "ToBeDeletedByClusterAutoscaler", "node.kubernetes.io/out-of-service", "odd"), Gen.Int[0, 4])
        .Select((ready, taint, free) => (ready, taint, free)).Array[3]
        .Select(nodes => nodes.Select((node, index) => Jobs.Node(index, node.ready, node.taint is null ? [] : [new NodeTaint(node.taint, null, "NoExecute")]) is var read
            ? read with { Free = node.free, IsReady = read.IsReady && NodeTrouble.Of(read) is null } : read).ToImmutableArray());

    private static Gen<int?> ExitCodes => OneOf<int?>(null, 0, 1, 10, 11, 12, 13, 14, 137);

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
