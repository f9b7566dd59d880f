namespace Phi.Checkpoints;

/// <summary>A checkpoint cannot be read or written; the message names the file and what is wrong with it.</summary>
public sealed class CheckpointException(string message, Exception? inner = null) : Exception(message, inner);
