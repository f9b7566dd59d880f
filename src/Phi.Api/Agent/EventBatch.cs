namespace Phi.Api.Agent;

/// <summary>Step and checkpoint events of one pod's ranks at one attempt. Keyed by (run, attempt, rank, step), so a replay changes nothing.</summary>
public sealed record EventBatch
{
    public required string Namespace { get; init; }
    public required string Job { get; init; }
    public required string JobUid { get; init; }
    public required int Attempt { get; init; }
    public IReadOnlyList<StepEvent> Steps { get; init; } = [];
    public IReadOnlyList<CheckpointEvent> Checkpoints { get; init; } = [];
    public IReadOnlyList<MissedCheckpoint> Missed { get; init; } = [];
    public IReadOnlyList<SkippedCheckpoint> Skipped { get; init; } = [];
    public IReadOnlyList<AttemptMark> Marks { get; init; } = [];
    public IReadOnlyList<EvaluatedProblem> Problems { get; init; } = [];
    public IReadOnlyList<EvaluationEvent> Evaluations { get; init; } = [];
}

/// <summary>One rank's report of one completed step. Metrics: loss (nats/token, mean over the global batch), learning_rate, grad_norm, tokens_per_second, step_seconds, …</summary>
public sealed record StepEvent
{
    public required int Rank { get; init; }
    /// <summary>Steps completed, from 1.</summary>
    public required long Step { get; init; }
    public required DateTimeOffset Time { get; init; }
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }
}

/// <summary>A committed checkpoint; reported by rank 0.</summary>
public sealed record CheckpointEvent
{
    public required long Step { get; init; }
    public required DateTimeOffset Time { get; init; }
    public required string Uri { get; init; }
    public long Bytes { get; init; }
    /// <summary>From the copy of the state to the commit; most of it passes while training goes on.</summary>
    public double Seconds { get; init; }
    /// <summary>What training stood still for it.</summary>
    public double StallSeconds { get; init; }
}
