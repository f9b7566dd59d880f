using System.Globalization;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// A hang of a container job: its program has reported progress before, and reports none for recovery.hangTimeout. A program that never
/// reported any is not judged.
/// </summary>
public static class ContainerHang
{
    public static AttemptFailure? Find(JobSnapshot snapshot) => Remaining(snapshot) is { Ticks: <= 0 }
        ? new AttemptFailure(true, false, "Hung", string.Create(CultureInfo.InvariantCulture, $"no progress was reported for recovery.hangTimeout ({snapshot.Job.Spec.Recovery!.HangTimeout}), the last being step {snapshot.Status.Progress!.Step}"))
        : null;

    /// <summary>Until the program counts as hung; null: it does not while it says nothing at all, or while its pods start.</summary>
    public static TimeSpan? Remaining(JobSnapshot snapshot)
    {
        var running = snapshot.Status.Conditions?.Find(condition => condition is { Type: TrainingConditions.Training, Status: "True" })?.LastTransitionTime;
        if (snapshot.HasAgents || snapshot.Status.Progress is null || running is null)
        {
            return null;
        }

        // An operator that has just started has heard nothing yet, and a new attempt first loads what it needs.
        var since = new[] { snapshot.ProgressedAt, running, snapshot.ListeningSince }.Max()!.Value;
        return since + KubernetesDuration.Parse(snapshot.Job.Spec.Recovery!.HangTimeout!) - snapshot.Now;
    }
}
