using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;
using Xunit;

namespace Phi.Reconcile.Tests.Life;

/// <summary>What holds of every decision in a job's life.</summary>
internal static class LifeLaws
{
    public static void Check(JobSnapshot before, JobDecision decision, World after)
    {
        Assert.NotEmpty(decision.Reason);
        Assert.NotEmpty(decision.Message);
        if (decision.Status is { } status)
        {
            CheckCounts(before, status);
            CheckConditions(before, status, after);
        }

        CheckPods(before, decision, after);
    }

    /// <summary>Once there is nothing left to do.</summary>
    public static void CheckSettled(World world)
    {
        var status = world.Status;
        if (status.Phase is TrainingPhase.Pending or TrainingPhase.Restarting or TrainingPhase.Suspended)
        {
            Assert.Contains(status.Conditions ?? [], condition => condition is { Status: "False", Reason.Length: > 0, Message.Length: > 0, Type: TrainingConditions.QuotaReserved or TrainingConditions.Placed or TrainingConditions.Admitted });
        }

        // Only pods that are leaving have no quota.
        Assert.True(string.IsNullOrEmpty(world.Job.Spec.Queue) || world.HasCondition(TrainingConditions.QuotaReserved) || world.IsFinished || world.Pods.All(pod => pod.IsDeleting));
    }

    private static void CheckCounts(JobSnapshot before, TrainingJobStatus status)
    {
        var old = before.Status;
        var (attempt, restarts, free) = (status.Attempt!.Value, status.Restarts!.Value, status.FreeRestarts!.Value);
        Assert.InRange(attempt, before.Attempt, before.Attempt + 1);
        Assert.Equal(Math.Max(0, attempt - 1), restarts + free);
        Assert.True(restarts <= before.Job.Spec.Recovery!.MaxRestarts);

        var hasNext = attempt > before.Attempt && before.Attempt > 0;
        var hasFailed = status.Phase == TrainingPhase.Failed && old.Phase is TrainingPhase.Starting or TrainingPhase.Running;
        Assert.Equal(Math.Min(20, (old.Interruptions?.Count ?? 0) + (hasNext || hasFailed ? 1 : 0)), status.Interruptions?.Count ?? 0);
        Assert.Distinct((status.Interruptions ?? []).Select(interruption => interruption.Attempt));
        Assert.True(status.Replicas is null || (status.Replicas <= World.Replicas && status.Replicas >= (before.Job.Spec.MinReplicas ?? World.Replicas)));
        Assert.True(before.Admission is not { State: AdmissionState.Granted } granted || !Is(status, TrainingConditions.QuotaReserved) || status.Replicas <= granted.Replicas);
    }

    private static void CheckConditions(JobSnapshot before, TrainingJobStatus status, World after)
    {
        Assert.True(Is(status, TrainingConditions.Placed) || !Is(status, TrainingConditions.Admitted) || Is(before.Status, TrainingConditions.Admitted));
        if (status.Phase == TrainingPhase.Suspended || (before.Pods.IsEmpty && !after.IsFinished && Is(status, TrainingConditions.Evicted)))
        {
            Assert.All([TrainingConditions.QuotaReserved, TrainingConditions.Admitted, TrainingConditions.Placed, TrainingConditions.Training, TrainingConditions.Resizing], type => Assert.False(Is(status, type), $"{type} is true of a job that is {status.Phase} and was {before.Status.Phase}"));
        }

        if (status.Phase == TrainingPhase.Running && before.Status.Phase != TrainingPhase.Running)
        {
            // The whole gang, of one attempt and one size; of a phi job's its ranks say that they have their parts, which only whole gangs get.
            var ready = before.Pods.Where(pod => pod.Phase is "Running" or "Succeeded").ToList();
            Assert.True(before.HasAgents
                ? before.Agents.Any(agent => agent.Attempt == before.Attempt && !agent.Ranks.IsEmpty)
                : ready.Select(pod => pod.Index).Order().SequenceEqual(Enumerable.Range(0, before.Replicas)) && ready.All(pod => (pod.Attempt, pod.GangSize) == (before.Attempt, before.Replicas)));
            Assert.True(string.IsNullOrEmpty(before.Job.Spec.Queue) || Is(status, TrainingConditions.QuotaReserved));
            Assert.True(after.Trained.Add(before.Attempt), $"attempt {before.Attempt} trains twice");
        }
    }

    private static void CheckPods(JobSnapshot before, JobDecision decision, World after)
    {
        if (decision.Of<JobAction.PlaceGang>() is [var place])
        {
            var places = before.Pods.Where(pod => pod.IsLive && !pod.IsGated).Select(pod => pod.Index).Concat(place.Placements.Select(placement => before.Pods.Single(pod => pod.Uid == placement.Uid).Index));
            Assert.Equal(Enumerable.Range(0, before.Replicas), places.Order());
            Assert.All(after.Machines, machine => Assert.InRange(after.Used(machine.Name), 0, 4));
        }

        foreach (var forced in decision.Of<JobAction.DeletePod>().Where(delete => delete.GracePeriodSeconds == 0))
        {
            var pod = before.Pods.Single(pod => pod.Uid == forced.Uid);
            var heard = before.Agents.FirstOrDefault(agent => agent.PodUid == pod.Uid)?.LastSeen ?? pod.RunningSince;
            Assert.True(pod.IsDeleting && (before.Nodes.All(node => node.Name != pod.Node || !node.IsReady) || (before.HasAgents && before.Now - heard >= TimeSpan.FromSeconds(10))));
        }
    }

    private static bool Is(TrainingJobStatus status, string type) => status.Conditions?.Exists(condition => condition.Type == type && condition.Status == "True") == true;
}
