using Phi.Api.TrainingJobs;

namespace Phi.Trainer.Evaluating;

/// <summary>The first line of the standard input of <c>phi-trainer evaluate</c>; the end of input is the end of whoever asked.</summary>
internal sealed record EvaluateRequest
{
    /// <summary>Folder or address of one step's checkpoint.</summary>
    public required string Checkpoint { get; init; }
    public required long Step { get; init; }
    public required DateTimeOffset Committed { get; init; }
    public required long Seed { get; init; }
    /// <summary>With its defaults.</summary>
    public required EvaluationSpec Evaluation { get; init; }
    /// <summary>For what is in between; whoever asks removes it.</summary>
    public required string Folder { get; init; }
}
