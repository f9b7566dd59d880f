using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
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
            ChargedRestartTimes = old.ChargedRestartTimes is { } times ? [.. times] : null,
            Placement = [.. placed.Select(pod => new PlacementStatus { Pod = pod.Name, Node = pod.Node })],
            Nodes = placed.Count == 0 ? null : string.Join(",", placed.Select(pod => pod.Node).Distinct()),
        };
        Set(TrainingConditions.PodsReady, running == snapshot.Replicas, running == snapshot.Replicas ? "AllReady" : "Waiting", $"{running} of {snapshot.Replicas} pods are running");
    }

    public StatusBuilder Phase(string phase)
    {
        _status.Phase = phase;
        return this;
    }

    /// <summary>Pods of the attempt; null once nobody has granted any.</summary>
    public StatusBuilder Replicas(int? replicas)
    {
        _status.Replicas = replicas;
        _status.Ready = $"{_status.ReadyReplicas}/{replicas ?? _snapshot.Job.Spec.Replicas}";
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

    public StatusBuilder NextAttempt(bool isCharged, bool isFirst)
    {
        _status.Attempt++;
        _status.StartTime ??= _snapshot.Now;
        if (isFirst)
        {
            return this;
        }

        _status.LastRestartTime = _snapshot.Now;
        if (isCharged)
        {
            _status.Restarts++;
            (_status.ChargedRestartTimes ??= []).Add(_snapshot.Now);
        }
        else
        {
            _status.FreeRestarts++;
        }

        return this;
    }

    public StatusBuilder Finish(string phase, string reason, string message)
    {
        _status.CompletionTime ??= _snapshot.Now;
        Set(TrainingConditions.Training, false, reason, message);
        return Phase(phase).Set(TrainingConditions.Finished, true, reason, message);
    }

    public TrainingJobStatus Build()
    {
        _status.Conditions = _conditions;
        return _status;
    }

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
