using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>How the checkpoint is made that a job starts from.</summary>
public sealed record ImportOptions
{
    /// <summary>The job's ranks; 1 if its zero.stage is 0. Default 1.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>The largest block size of the job's zero block, in elements, and no less than the default, 256.</summary>
    public long Alignment { get; init; } = ShardLayout.DefaultAlignment;

    /// <summary>Tokens of the job's sequences. Default: the model's max_position_embeddings, which is also the most.</summary>
    public int? SequenceLength { get; init; }

    /// <summary>The job's seed. Default 1.</summary>
    public long Seed { get; init; } = 1;
}
