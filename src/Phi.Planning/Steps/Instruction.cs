namespace Phi.Planning.Steps;

/// <summary>What a rank's program does next.</summary>
internal enum InstructionKind
{
    Forward,
    Backward,
    /// <summary>Starts a collective on the communication stream.</summary>
    Start,
    /// <summary>The compute waits for a collective.</summary>
    Wait,
    /// <summary>All ranks agree on a value.</summary>
    Agree,
    /// <summary>AdamW on the rank's shards, and the encoding of the new weights.</summary>
    Update,
}

/// <summary>The unit that a program's instruction is about; layers are alike.</summary>
internal enum UnitKind
{
    Embedding,
    Layer,
    Head,
    None,
}

/// <summary>A collective of the engine: the first gather of a unit after an update, one that finds its secondary shard, or a reduction.</summary>
internal enum TransferKind
{
    Gather,
    GatherWithin,
    Reduce,
    AllReduce,
}

/// <param name="Samples">Sequences that are computed.</param>
/// <param name="Transfer">Number of the collective that is started or waited for.</param>
internal readonly record struct Instruction(InstructionKind Kind, UnitKind Unit = UnitKind.None, int Samples = 0, int Transfer = -1);

internal readonly record struct Transfer(TransferKind Kind, UnitKind Unit);
