using System.Collections.Immutable;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Decisions;
using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Tests.Life;

/// <summary>
/// A cluster of three nodes with room for two pods each, and one job of up to three pods: as the API server, the kubelets, the agents and the
/// queue have it. Decisions are carried out on it; everything else happens to it.
/// </summary>
internal sealed class World
{
    public const int Replicas = 3;
    public const int PerReplica = 2;
    private const int Accelerators = 4;
    private const int Grace = 30;
    private DateTimeOffset? _due;
    private bool _isDirty = true;
    private int _created;
    private PlacementRefusal? _refusal;

    public World(bool isQueued, bool isElastic, bool isContainer)
    {
        Job = Jobs.New(job =>
        {
            (job.Spec.Replicas, job.Spec.MinReplicas, job.Metadata.Finalizers) = (Replicas, isElastic ? 1 : null, null);
            job.Spec.Queue = isQueued ? "research" : null;
            job.Spec.Recovery = new RecoverySpec { MaxRestarts = 2, Backoff = "10s", HangTimeout = "2m" };
            if (isContainer)
            {
                (job.Spec.Phi, job.Spec.Container) = (null, new ContainerSpec { Image = "python:3", Command = ["python3", "train.py"] });
            }
        }).Job;
        Agents = new Agents(this);
    }

    public TrainingJob Job { get; private set; }

    /// <summary>What happened and what was decided, for the message of a broken law.</summary>
    public List<string> Journal { get; } = [];

    public TrainingJobStatus Status => Job.Status ?? new TrainingJobStatus();

    public List<PodSnapshot> Pods { get; private set; } = [];

    public Machine[] Machines { get; } = [new("node-0"), new("node-1"), new("node-2")];

    public Agents Agents { get; }

    public QueueAdmission? Admission { get; private set; }

    public DateTimeOffset Now { get; private set; } = Jobs.Start;

    public DateTimeOffset? ProgressedAt { get; set; }

    /// <summary>Attempts that have trained.</summary>
    public HashSet<int> Trained { get; } = [];

    /// <summary>Of the next decision only so many actions are carried out, its status before them: the operator ends in between.</summary>
    public int? Interrupted { get; set; }

    public bool IsFinished => Status.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;

    /// <summary>Whether the operator would look: it was told of something, or said when it would.</summary>
    public bool IsDue => _isDirty || _due <= Now;

    public Machine? Machine(string? name) => Array.Find(Machines, machine => machine.Name == name && machine.IsThere);

    public bool HasCondition(string type) => Status.Conditions?.Exists(condition => condition.Type == type && condition.Status == "True") == true;

    /// <summary>Something that the operator is told of.</summary>
    public void Change() => _isDirty = true;

    public void Change(PodSnapshot pod, Func<PodSnapshot, PodSnapshot> change)
    {
        Pods = [.. Pods.Select(candidate => candidate.Uid == pod.Uid ? change(candidate) : candidate)];
        _isDirty = true;
    }

    public void Remove(PodSnapshot pod)
    {
        Pods.RemoveAll(candidate => candidate.Uid == pod.Uid);
        _isDirty = true;
    }

    public void Wait(double seconds) => Now = Now.AddSeconds(seconds);

    /// <summary>As by kubectl delete, or the operator.</summary>
    public void Delete(PodSnapshot pod, long? graceSeconds)
    {
        if (graceSeconds == 0 || pod.Node is null || (pod.HasEnded && Machine(pod.Node) is { IsUp: true }))
        {
            Remove(pod);
            return;
        }

        var by = Now.AddSeconds(graceSeconds ?? Grace);
        Change(pod, old => old with { IsDeleting = true, DeleteBy = old.DeleteBy < by ? old.DeleteBy : by });
    }

    /// <summary>The queue's next word, if it is its turn to say one.</summary>
    public void Say(QueueAdmission? admission)
    {
        Admission = admission;
        _isDirty = true;
    }

    public void Edit(Action<TrainingJob> change)
    {
        Job = TrainingJobDefaults.Apply(Job);
        Job.Status ??= new TrainingJobStatus();
        change(Job);
        _isDirty = true;
        Follow(wasHeld: HasCondition(TrainingConditions.QuotaReserved));
    }

    public JobSnapshot Look()
    {
        var snapshot = new JobSnapshot
        {
            Job = Job,
            Errors = [],
            Pods = [.. Pods],
            Nodes = [.. Machines.Where(machine => machine.IsThere).Select(Read)],
            Agents = Agents.Heard,
            Admission = Admission,
            ListeningSince = Agents.ListeningSince,
            ProgressedAt = ProgressedAt,
            Refusal = _refusal,
            Now = Now,
        };
        _refusal = null;
        return snapshot;
    }

    /// <summary>The status first, then the actions. True: something was done.</summary>
    public bool Execute(JobDecision decision)
    {
        (_due, _isDirty) = (decision.RequeueAfter is { } after ? Now + after : null, false);
        var hasNews = decision.Status is { } status && Own(status) != Own(Status);
        if (hasNews)
        {
            var wasHeld = HasCondition(TrainingConditions.QuotaReserved);
            var (progress, checkpoint) = (Status.Progress, Status.Checkpoint);
            Job = TrainingJobDefaults.Apply(Job);
            Job.Status = decision.Status!;
            (Job.Status.Progress, Job.Status.Checkpoint) = (progress, checkpoint);
            Follow(wasHeld);
        }

        foreach (var action in decision.Actions.Take(Interrupted ?? int.MaxValue))
        {
            Act(action);
        }

        _isDirty |= hasNews || !decision.Actions.IsEmpty;
        Interrupted = null;
        return hasNews || !decision.Actions.IsEmpty;
    }

    public override string ToString() => string.Join('\n', [
        .. Journal,
        $"{Status.Phase}, attempt {Status.Attempt} of {Status.Replicas} pods at {Now - Jobs.Start}; suspended {Job.Spec.Suspend}, admission {Admission}",
        .. Pods.Select(pod => $"pod {pod.Name} {pod.Phase} of attempt {pod.Attempt} on {pod.Place}, gated {pod.IsGated}, deleting {pod.IsDeleting}: {string.Join(", ", Agents.Heard.Where(agent => agent.PodUid == pod.Uid).Select(agent => $"attempt {agent.Attempt}, {string.Join(" ", agent.Ranks.Select(rank => rank.State))}, seen {agent.LastSeen - Jobs.Start}"))}"),
        .. (Status.ExcludedNodes ?? []).Select(node => $"without {node.Node} until {node.Until - Jobs.Start}: {node.Reason}"),
        .. (Status.Conditions ?? []).Select(condition => $"{condition.Type} {condition.Status} {condition.Reason}: {condition.Message}")]);

    public int Used(string node) => Pods.Count(pod => pod.Place == node && !pod.HasEnded) * PerReplica;

    private void Act(JobAction action)
    {
        switch (action)
        {
            case JobAction.AddFinalizer:
                Job = TrainingJobDefaults.Apply(Job);
                Job.Metadata.Finalizers = [PhiNames.JobFinalizer];
                break;
            case JobAction.CreatePod create:
                Pods.Add(new PodSnapshot { Name = create.Name, Uid = $"{create.Name}/{_created++}", Index = create.Index, Phase = "Pending", IsGated = true, Attempt = create.Attempt, GangSize = Status.Replicas ?? Replicas });
                break;
            case JobAction.DeletePod delete when Pods.Find(pod => pod.Uid == delete.Uid) is { } pod:
                Delete(pod, delete.GracePeriodSeconds);
                break;
            case JobAction.PlaceGang place:
                // Ended in between: pins are there and gates are not open, and the API server has said no to one.
                _refusal = Interrupted is null ? null : new PlacementRefusal(place.Placements[^1].Pod, place.Placements[^1].Node, "not now");
                Pods = [.. Pods.Select(pod => place.Placements.FirstOrDefault(placement => placement.Uid == pod.Uid) is { } at ? pod with { Pin = at.Node, IsGated = Interrupted is not null } : pod)];
                break;
        }
    }

    /// <summary>As the operator's book of queues: quota is free once the status has said that it was held and no longer does.</summary>
    private void Follow(bool wasHeld)
    {
        var isHeld = HasCondition(TrainingConditions.QuotaReserved);
        Admission = string.IsNullOrEmpty(Job.Spec.Queue) || IsFinished ? null
            : isHeld ? Admission is { State: not AdmissionState.Waiting } said ? said : Held()
            : wasHeld || Job.Spec.Suspend == true ? null
            : Admission;
    }

    /// <summary>What the status of a job that holds quota tells a book that did not know it.</summary>
    private QueueAdmission Held() => HasCondition(TrainingConditions.Evicted)
        ? new QueueAdmission(AdmissionState.Evicting, Status.Replicas ?? Replicas, "Preempted", "room is needed for default/urgent", Now.AddSeconds(60), "InQueue")
        : new QueueAdmission(AdmissionState.Granted, Status.Replicas ?? Replicas, "QuotaReserved", "as before");

    private NodeSnapshot Read(Machine machine) => new(machine.Name, machine.IsUp && !machine.IsGoing, "cpu", Accelerators - Used(machine.Name))
    {
        Health = new NodeHealth(machine.IsUp ? "True" : "Unknown", null, false, machine.IsGoing ? [new NodeTaint("ToBeDeletedByClusterAutoscaler", null, "NoSchedule")] : []),
        Obstacle = machine.IsGoing ? "has the taint ToBeDeletedByClusterAutoscaler" : null,
    };

    /// <summary>What the operator writes of a status.</summary>
    private static string Own(TrainingJobStatus status)
    {
        var own = JsonSerializer.Deserialize<TrainingJobStatus>(JsonSerializer.Serialize(status, PhiJson.Options), PhiJson.Options)!;
        (own.Progress, own.Checkpoint, own.Goodput) = (null, null, null);
        return JsonSerializer.Serialize(own, PhiJson.Options);
    }
}
