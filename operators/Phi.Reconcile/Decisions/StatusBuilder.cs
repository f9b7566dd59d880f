using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Phases;
using Phi.Reconcile.Policies;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Decisions;

/// <summary>The next status: what the last one said, with what has changed.</summary>
internal sealed class StatusBuilder
{
    private readonly JobSnapshot _snapshot;
    private readonly TrainingJobStatus _status;
    private readonly List<Condition> _conditions;

    public StatusBuilder(JobSnapshot snapshot)
    {
        _snapshot = snapshot;
        var old = snapshot.Status;
        _conditions = [.. (old.Conditions ?? []).Select(Copy)];
        var running = snapshot.Pods.Count(pod => pod.IsLive && pod.Phase == "Running");
        var placed = snapshot.Pods.Where(pod => !pod.HasEnded && pod.Node is not null).OrderBy(pod => pod.Index).ToList();
        _status = new TrainingJobStatus
        {
            ObservedGeneration = snapshot.Job.Metadata.Generation,
            Phase = old.Phase ?? TrainingPhase.Pending,
            Attempt = old.Attempt ?? 0,
            Restarts = old.Restarts ?? 0,
            FreeRestarts = old.FreeRestarts ?? 0,
            ReadyReplicas = running,
            Ready = $"{running}/{snapshot.Replicas}",
            StartTime = old.StartTime,
            CompletionTime = old.CompletionTime,
            LastRestartTime = old.LastRestartTime,
            Replicas = old.Replicas,
            RequeueState = old.RequeueState,
            ChargedRestartTimes = old.ChargedRestartTimes is { } times ? [.. times] : null,
            ExcludedNodes = NodeExclusion.Update(snapshot, []),
            Interruptions = old.Interruptions is { } interruptions ? [.. interruptions] : null,
            SkippedBatches = old.SkippedBatches is { } batches ? [.. batches] : null,
            Rollbacks = old.Rollbacks,
            InitializedFrom = old.InitializedFrom,
            Placement = [.. placed.Select(pod => new PlacementStatus { Pod = pod.Name, Node = pod.Node, Domain = Domain(snapshot, pod.Node!) })],
            Nodes = placed.Count == 0 ? null : string.Join(",", placed.Select(pod => pod.Node).Distinct()),
        };
        // Of a job that never had pods there is nothing to say, and thousands of those may wait.
        if (!snapshot.Pods.IsEmpty || _conditions.Exists(condition => condition.Type == TrainingConditions.PodsReady))
        {
            Set(TrainingConditions.PodsReady, running == snapshot.Replicas, running == snapshot.Replicas ? "AllReady" : "Waiting", $"{running} of {snapshot.Replicas} pods are running");
        }

        if (old.Checkpoint?.Step is not null)
        {
            // The step is not in the words: they would make a second write of the status of each checkpoint.
            Set(TrainingConditions.Checkpointed, true, "Committed", "there is a committed checkpoint; status.checkpoint names the newest");
        }
        else
        {
            Clear(TrainingConditions.Checkpointed, "None", "no committed checkpoint is left");
        }

        if (!Queueing.HasQueue(snapshot))
        {
            // The queue that evicted it was taken out of its spec.
            Clear(TrainingConditions.Evicted, "NoQueue", "the job has no queue").Clear(TrainingConditions.Preempted, "NoQueue", "the job has no queue");
        }
    }

    public IReadOnlyList<ExcludedNodeStatus>? ExcludedNodes => _status.ExcludedNodes;

    public StatusBuilder Phase(string phase)
    {
        _status.Phase = phase;
        if (phase == TrainingPhase.Suspended)
        {
            // The deadline counts from the next start, and whoever resumes a job wants it to start.
            (_status.StartTime, _status.RequeueState) = (null, null);
        }

        return this;
    }

    /// <summary>Ends a condition that is there; makes none.</summary>
    public StatusBuilder Clear(string type, string reason, string message) => _conditions.Exists(condition => condition.Type == type) ? Set(type, false, reason, message) : this;

    public StatusBuilder Set(string type, bool isTrue, string reason, string message)
    {
        var status = isTrue ? "True" : "False";
        var condition = _conditions.Find(candidate => candidate.Type == type);
        if (condition is null)
        {
            _conditions.Add(condition = new Condition { Type = type });
        }

        if (condition.Status != status)
        {
            condition.Status = status;
            condition.LastTransitionTime = _snapshot.Now;
        }

        (condition.Reason, condition.Message, condition.ObservedGeneration) = (reason, message, _snapshot.Job.Metadata.Generation);
        return this;
    }

    /// <summary>Pods of the gang from now on; null once nobody has granted any.</summary>
    public StatusBuilder Size(int? replicas)
    {
        _status.Replicas = replicas;
        _status.Ready = $"{_status.ReadyReplicas}/{replicas ?? _snapshot.Job.Spec.Replicas}";
        return this;
    }

    /// <summary>From when on the job is considered again; null once it trains.</summary>
    public StatusBuilder Requeue(RequeueStateStatus? state)
    {
        _status.RequeueState = state;
        return this;
    }

    public StatusBuilder InitializeFrom(InitializedFromStatus source)
    {
        _status.InitializedFrom = source;
        return this;
    }

    /// <summary>Leaves a node out for a while, longer each time.</summary>
    public StatusBuilder Exclude(string node, string reason) => Exclude([NodeExclusion.Escalate(_snapshot, _status.ExcludedNodes, node, reason)]);

    /// <summary>The job's time runs from now on, if it does not already.</summary>
    public StatusBuilder Begin()
    {
        _status.StartTime ??= _snapshot.Now;
        return this;
    }

    public StatusBuilder NextAttempt(bool isCharged, bool isFirst)
    {
        _status.Attempt++;
        Clear(TrainingConditions.Resizing, "NextAttempt", $"attempt {_status.Attempt} begins").Begin();
        if (isFirst)
        {
            return this;
        }

        _status.LastRestartTime = _snapshot.Now;
        if (isCharged)
        {
            _status.Restarts++;
            _status.ChargedRestartTimes = RestartPolicy.Add(_snapshot);
        }
        else
        {
            _status.FreeRestarts++;
        }

        return this;
    }

    /// <summary>Records how the current attempt ended, and what follows from it for the attempts to come.</summary>
    public StatusBuilder Interrupt(InterruptionStatus interruption, AttemptFailure failure)
    {
        _status.Interruptions = InterruptionPolicy.Add(_snapshot.Status.Interruptions, interruption);
        if (failure is { IsRollback: true, IsFatal: false })
        {
            _status.Rollbacks = (_snapshot.Status.Rollbacks ?? 0) + 1;
            _status.SkippedBatches = failure.SkippedBatch is { } batch ? [.. (_snapshot.Status.SkippedBatches ?? []).Append(batch).Distinct().Order()] : _status.SkippedBatches;
        }

        return Exclude(failure.Excluded);
    }

    /// <summary>The attempt goes on from a step, which tells what the last interruption really cost.</summary>
    public StatusBuilder Resume(long? from)
    {
        _status.Interruptions = from is { } step && InterruptionPolicy.Correct(_status.Interruptions, _snapshot.Attempt, step) is { } corrected ? corrected : _status.Interruptions;
        return this;
    }

    public StatusBuilder Exclude(IEnumerable<ExcludedNodeStatus> nodes)
    {
        _status.ExcludedNodes = NodeExclusion.Update(_snapshot, [.. _status.ExcludedNodes ?? [], .. nodes]);
        return this;
    }

    /// <summary>Whether the last status had the condition, with the message that it had.</summary>
    public bool Has(string type, out string message)
    {
        var condition = _conditions.Find(candidate => candidate.Type == type && candidate.Status == "True");
        message = condition?.Message ?? "";
        return condition is not null;
    }

    public StatusBuilder Finish(string phase, string reason, string message)
    {
        _status.CompletionTime ??= _snapshot.Now;
        Clear(TrainingConditions.Training, reason, message).Clear(TrainingConditions.Resizing, reason, message).Clear(TrainingConditions.Straggler, reason, message);
        return Phase(phase).Set(TrainingConditions.Finished, true, reason, message);
    }

    public TrainingJobStatus Build()
    {
        _status.Conditions = _conditions;
        return _status;
    }

    /// <summary>In the job's own topology; null if it has none, or the node no label for it.</summary>
    private static string? Domain(JobSnapshot snapshot, string node) =>
        Topology.Asked(snapshot) is { } level && snapshot.Nodes.FirstOrDefault(candidate => candidate.Name == node) is { } there ? Topology.DomainOf(there, level) : null;

    private static Condition Copy(Condition condition) => new()
    {
        Type = condition.Type,
        Status = condition.Status,
        Reason = condition.Reason,
        Message = condition.Message,
        LastTransitionTime = condition.LastTransitionTime,
        ObservedGeneration = condition.ObservedGeneration,
    };
}
