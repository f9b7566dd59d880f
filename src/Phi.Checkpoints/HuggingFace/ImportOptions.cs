using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>How the checkpoint is made that a job starts from.</summary>
public sealed record ImportOptions
{
    /// <summary>Shards to write. A job loads any number; with as many as its ranks each rank reads one. Default 1.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>Shards of matrices are whole multiples of it, in elements; no less than the default, 256. A job loads any.</summary>
    public long Alignment { get; init; } = ShardLayout.DefaultAlignment;

    /// <summary>Tokens of the job's sequences. Default: the model's max_position_embeddings, which is also the most.</summary>
    public int? SequenceLength { get; init; }

    /// <summary>The job's seed. Default 1.</summary>
    public long Seed { get; init; } = 1;
}
