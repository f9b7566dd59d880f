using System.Globalization;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// How long a job waits after its gang was withdrawn because a pod was not bound in time, as Kueue's requeuingStrategy has it
/// (kueue.sigs.k8s.io, "Setup All-or-nothing with ready Pods"): while it waits it holds neither quota nor room, so that a gang that never
/// gets there cannot keep others from theirs. Without jitter: decisions are made one at a time anyway.
/// </summary>
internal static class RequeuePolicy
{
    /// <summary>Kueue's reason for an eviction of that cause.</summary>
    public const string Reason = "PodsReadyTimeout";

    /// <summary>One withdrawal more than the status has.</summary>
    public static RequeueStateStatus Next(JobSnapshot snapshot)
    {
        var strategy = snapshot.Job.Spec.Recovery!.RequeuingStrategy!;
        var count = (snapshot.Status.RequeueState?.Count ?? 0) + 1;
        return new RequeueStateStatus
        {
            Count = count,
            RequeueAt = snapshot.Now + Backoff.After(KubernetesDuration.Parse(strategy.BackoffBase!), KubernetesDuration.Parse(strategy.BackoffMax!), count),
        };
    }

    /// <summary>What is left of the wait; null if the job need not wait.</summary>
    public static TimeSpan? Remaining(JobSnapshot snapshot) =>
        snapshot.Status.RequeueState?.RequeueAt - snapshot.Now is { Ticks: > 0 } left ? left : null;

    /// <summary>Why a job that waits does.</summary>
    public static string Words(JobSnapshot snapshot) => snapshot.Status.RequeueState is { Count: { } count, RequeueAt: { } at }
        ? string.Create(CultureInfo.InvariantCulture, $"its gang was withdrawn {(count == 1 ? "once" : $"{count} times in a row")} because a pod was not bound in time; it is considered again from {UtcText.Of(at)} on")
        : "";
}
