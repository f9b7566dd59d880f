using System.Text.Json;
using System.Text.Json.Serialization;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Trainer.Replicas;

namespace Phi.Trainer.Ranks;

/// <summary>The first line that an agent writes to a rank's standard input. A later line (<see cref="Saving.LeaveRequest.Line"/>) asks the ranks to save and leave; the end of input is the agent's end.</summary>
internal sealed record RankStart
{
    public required Assignment Assignment { get; init; }
    public required string RunId { get; init; }
    public required int Rank { get; init; }
    public required int NodeRank { get; init; }
    public required string BindAddress { get; init; }
    public required string CheckpointRoot { get; init; }
    public required string DataCache { get; init; }
    /// <summary>Null: the job keeps no copies in memory.</summary>
    public ReplicaStart? Replicas { get; init; }
}

/// <summary>A line of a rank's standard output, as JSON.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(Training), "training")]
[JsonDerivedType(typeof(Reached), "reached")]
[JsonDerivedType(typeof(Stepped), "step")]
[JsonDerivedType(typeof(Recalled), "recalled")]
[JsonDerivedType(typeof(Saved), "saved")]
[JsonDerivedType(typeof(Missed), "missed")]
[JsonDerivedType(typeof(Skipped), "skipped")]
[JsonDerivedType(typeof(Alive), "alive")]
[JsonDerivedType(typeof(Diverged), "diverged")]
[JsonDerivedType(typeof(Failed), "failed")]
[JsonDerivedType(typeof(Graded), "graded")]
[JsonDerivedType(typeof(Evaluated), "evaluated")]
internal abstract record RankEvent
{
    private RankEvent()
    {
    }

    /// <summary>All ranks have met; training goes on from a step.</summary>
    /// <param name="IsFromMemory">It was loaded from copies in the memories of the gang's pods.</param>
    public sealed record Training(long FromStep, bool IsFromMemory = false) : RankEvent;

    public sealed record Reached(AttemptMark Mark) : RankEvent;

    public sealed record Stepped(StepEvent Step) : RankEvent;

    /// <summary>A step of an earlier attempt, told again: its agent may have died before it could.</summary>
    public sealed record Recalled(int Attempt, StepEvent Step) : RankEvent;

    public sealed record Saved(CheckpointEvent Checkpoint) : RankEvent;

    public sealed record Missed(MissedCheckpoint Checkpoint) : RankEvent;

    public sealed record Skipped(SkippedCheckpoint Checkpoint) : RankEvent;

    /// <param name="Collective">Operation and number of the one that the rank is in, or was in last.</param>
    /// <param name="WaitingSeconds">How long it has been in it; null outside of one.</param>
    public sealed record Alive(string? Collective, double? WaitingSeconds) : RankEvent;

    /// <param name="Batch">On which the loss diverged, counted from 0.</param>
    public sealed record Diverged(long Batch, string Message) : RankEvent;

    public sealed record Failed(string Message) : RankEvent;

    /// <summary>All programs for one problem were judged; told by an evaluation, as is <see cref="Evaluated"/>.</summary>
    public sealed record Graded(EvaluatedProblem Problem) : RankEvent;

    public sealed record Evaluated(EvaluationEvent Evaluation) : RankEvent;

    /// <returns>Null: the line is no event.</returns>
    public static RankEvent? Parse(string line)
    {
        try
        {
            return line.StartsWith('{') ? JsonSerializer.Deserialize<RankEvent>(line, PhiJson.Options) : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}
