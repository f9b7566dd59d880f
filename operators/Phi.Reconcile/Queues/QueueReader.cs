using System.Collections.Immutable;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;

namespace Phi.Reconcile.Queues;

/// <summary>From objects of the API to what a decision on queues needs of them.</summary>
public static class QueueReader
{
    /// <summary>A queue's rules; a spec that is wrong makes a queue that says so and admits nothing.</summary>
    public static QueuePolicy Queue(TrainingQueue queue)
    {
        var (spec, preemption) = (queue.Spec, queue.Spec.Preemption);
        var errors = Errors(spec);
        return new QueuePolicy
        {
            Name = queue.Metadata.Name!,
            Cohort = string.IsNullOrEmpty(spec.Cohort) ? null : spec.Cohort,
            Order = spec.Order == nameof(QueueOrder.BestEffortFifo) ? QueueOrder.BestEffortFifo : QueueOrder.StrictFifo,
            PreemptsLowerPriority = preemption?.WithinQueue != "Never",
            Reclaim = Enum.TryParse<ReclaimPolicy>(preemption?.ReclaimWithinCohort, out var reclaim) ? reclaim : ReclaimPolicy.Never,
            CheckpointDeadline = KubernetesDuration.TryParse(preemption?.CheckpointDeadline, out var deadline) ? deadline : TimeSpan.FromSeconds(60),
            Quotas = errors.Count > 0 ? [] : [.. (spec.Quotas ?? []).Select(quota => new TypeQuota(quota.AcceleratorType!, quota.Nominal!.Value, quota.BorrowingLimit, quota.LendingLimit))],
            Problem = errors.Count > 0 ? string.Join("; ", errors) : null,
        };
    }

    /// <summary>Everything that is wrong with a queue's spec; most of it the API server refuses already.</summary>
    public static IReadOnlyList<ValidationError> Errors(TrainingQueueSpec spec)
    {
        var errors = new List<ValidationError>();
        foreach (var (i, quota) in (spec.Quotas ?? []).Index())
        {
            if (string.IsNullOrEmpty(quota.AcceleratorType))
            {
                errors.Add(new ValidationError($"spec.quotas[{i}].acceleratorType", "missing", "is required", "write cpu, or a node's label such as nvidia-a100-80gb"));
            }
            else if (spec.Quotas!.FindIndex(other => other.AcceleratorType == quota.AcceleratorType) is var first && first < i)
            {
                errors.Add(new ValidationError($"spec.quotas[{i}].acceleratorType", quota.AcceleratorType, $"must be named once; spec.quotas[{first}] has it already", "keep one of them"));
            }

            NotNegative($"spec.quotas[{i}].nominal", quota.Nominal ?? -1, quota.Nominal is null);
            NotNegative($"spec.quotas[{i}].borrowingLimit", quota.BorrowingLimit ?? 0, false);
            NotNegative($"spec.quotas[{i}].lendingLimit", quota.LendingLimit ?? 0, false);
        }

        OneOf("spec.order", spec.Order, "StrictFifo", "BestEffortFifo");
        OneOf("spec.preemption.withinQueue", spec.Preemption?.WithinQueue, "LowerPriority", "Never");
        OneOf("spec.preemption.reclaimWithinCohort", spec.Preemption?.ReclaimWithinCohort, "Never", "LowerPriority", "Any");
        if (spec.Preemption?.CheckpointDeadline is { } deadline && !KubernetesDuration.TryParse(deadline, out _))
        {
            errors.Add(new ValidationError("spec.preemption.checkpointDeadline", deadline, "is no duration", "write it like 30s, 10m or 1h30m"));
        }

        return errors;

        void NotNegative(string field, int value, bool isMissing)
        {
            if (value < 0)
            {
                errors.Add(new ValidationError(field, isMissing ? "missing" : FormattableString.Invariant($"{value}"), "must be at least 0", "write a number of accelerators"));
            }
        }

        void OneOf(string field, string? value, params string[] allowed)
        {
            if (value is not null && !allowed.Contains(value))
            {
                errors.Add(new ValidationError(field, value, $"must be one of {string.Join(", ", allowed)}", $"write {allowed[0]}, or leave it out"));
            }
        }
    }

    /// <summary>Null: the job has no queue, another controller's, or is over, being deleted, or held back.</summary>
    /// <param name="priorities">Values of the priority classes by name.</param>
    public static QueuedJob? Job(TrainingJob job, IReadOnlyDictionary<string, int> priorities)
    {
        var spec = job.Spec;
        if (string.IsNullOrEmpty(spec.Queue) || spec.ManagedBy is { Length: > 0 } and not PhiNames.Manager || job.Metadata.DeletionTimestamp is not null || job.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed)
        {
            return null;
        }

        var replicas = spec.Replicas ?? 1;
        var priority = 0;
        return new QueuedJob
        {
            Key = $"{job.Metadata.Namespace}/{job.Metadata.Name}",
            Uid = job.Metadata.Uid!,
            Queue = spec.Queue,
            AcceleratorType = spec.Accelerator?.Type ?? "cpu",
            PerReplica = spec.Accelerator?.PerReplica ?? 8,
            Replicas = replicas,
            MinReplicas = Math.Clamp(spec.MinReplicas ?? replicas, 1, replicas),
            MissingPriorityClass = spec.PriorityClassName is { Length: > 0 } name && !priorities.TryGetValue(name, out priority) ? name : null,
            Priority = priority,
            QueuedSince = job.Metadata.CreationTimestamp ?? default,
            NotBefore = job.Status?.RequeueState?.RequeueAt,
        };
    }

    /// <summary>What the job's status says it holds; null: nothing.</summary>
    public static AdmittedJob? Admitted(TrainingJob job, QueuedJob queued)
    {
        if (Condition(job, TrainingConditions.QuotaReserved) is not { Status: "True" } reserved)
        {
            return null;
        }

        return new AdmittedJob
        {
            Job = queued,
            Replicas = job.Status!.Replicas ?? queued.Replicas,
            AdmittedAt = reserved.LastTransitionTime ?? job.Status.StartTime ?? queued.QueuedSince,
            CheckpointAt = job.Status.Checkpoint?.Time,
            IsEvicting = Condition(job, TrainingConditions.Evicted) is { Status: "True" },
        };
    }

    public static Condition? Condition(TrainingJob job, string type) => job.Status?.Conditions?.Find(condition => condition.Type == type);
}
