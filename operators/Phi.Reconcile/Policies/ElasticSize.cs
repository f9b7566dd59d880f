using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>How many pods the next attempt's gang has: from minReplicas to replicas. The global batch is the same at every size.</summary>
internal static class ElasticSize
{
    /// <summary>A new job waits this long for room for its whole gang before it starts smaller. A restart does not wait.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>An attempt runs at least this long before it is ended for a larger one.</summary>
    public static readonly TimeSpan GrowthPatience = TimeSpan.FromSeconds(30);

    /// <summary>The most that the job may have now: replicas, or what its queue's quota covers. While the queue says nothing that is what it has.</summary>
    public static int Target(JobSnapshot snapshot) => Math.Max(Least(snapshot), Math.Min(
        snapshot.Job.Spec.Replicas!.Value, snapshot.Admission?.Replicas ?? (string.IsNullOrEmpty(snapshot.Job.Spec.Queue) ? int.MaxValue : snapshot.Replicas)));

    public static int Least(JobSnapshot snapshot) => Math.Min(snapshot.Job.Spec.MinReplicas ?? int.MaxValue, snapshot.Job.Spec.Replicas!.Value);

    /// <summary>The size to assemble now. It stays what it is as long as nothing better is known.</summary>
    public static int Want(JobSnapshot snapshot)
    {
        var (least, target) = (Least(snapshot), Target(snapshot));
        if (least == target || Fits(snapshot, target))
        {
            return target;
        }

        return Waits(snapshot) > TimeSpan.Zero ? target : Largest(snapshot, least, target - 1) ?? Math.Clamp(snapshot.Replicas, least, target);
    }

    /// <summary>What is left of the patience with which a new job waits for its whole gang.</summary>
    public static TimeSpan Waits(JobSnapshot snapshot)
    {
        if (snapshot.Attempt > 1 || Least(snapshot) == Target(snapshot))
        {
            return TimeSpan.Zero;
        }

        var since = snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Placed, Status: "False" })?.LastTransitionTime;
        var left = since is { } first ? first + Patience - snapshot.Now : Patience;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>The largest size of the range that fits; null if none does.</summary>
    public static int? Largest(JobSnapshot snapshot, int least, int most)
    {
        // No size can need more than all the room there is, with the job's own.
        var spots = GangRooms.Of(snapshot, [.. snapshot.Pods.Where(pod => !pod.HasEnded)], Reservation.Before(snapshot));
        var room = snapshot.Job.Spec.Topology?.Require is { } level ? Packing.Domains(spots, level).Select(domain => domain.Room).DefaultIfEmpty(0).Max() : spots.Sum(spot => spot.Room);
        for (var size = Math.Min(most, room); size >= least; size--)
        {
            if (Fits(snapshot, size))
            {
                return size;
            }
        }

        return null;
    }

    private static bool Fits(JobSnapshot snapshot, int size) => GangSeats.Find(snapshot, size, isHypothetical: true) is not null;
}
