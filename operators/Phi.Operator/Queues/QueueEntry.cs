using Phi.Api.TrainingJobs;
using Phi.Kubernetes;
using Phi.Reconcile.Queues;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Queues;

/// <summary>One job of the book.</summary>
internal sealed class QueueEntry(ResourceKey key)
{
    public ResourceKey Key => key;

    /// <summary>As it was last seen.</summary>
    public required TrainingJob Source { get; set; }

    public required QueuedJob Job { get; set; }

    /// <summary>Null: it holds no quota.</summary>
    public AdmittedJob? Admitted { get; set; }

    /// <summary>Its status has said that it holds quota: when it no longer does, the quota is free.</summary>
    public bool IsConfirmed { get; set; }

    /// <summary>Waits for quota; false: it holds some, or is suspended.</summary>
    public bool IsPending { get; set; }

    /// <summary>What its reconciler is told; null: nothing yet.</summary>
    public QueueAdmission? Published { get; set; }
}
