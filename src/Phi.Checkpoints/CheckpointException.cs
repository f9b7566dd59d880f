namespace Phi.Checkpoints;

/// <summary>A checkpoint cannot be read or written; the message names the file and what is wrong with it.</summary>
public sealed class CheckpointException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>It is whole, and of a format that this version does not know: to go on from an older one would throw work away that nothing is wrong with.</summary>
    public bool IsOtherFormat { get; init; }
}
