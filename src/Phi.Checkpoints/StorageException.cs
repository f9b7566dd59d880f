namespace Phi.Checkpoints;

/// <summary>The storage of checkpoints does not answer, is full, or refuses access. It says nothing of any checkpoint: none is damaged by it.</summary>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner)
{
    public StorageFault Fault { get; init; } = StorageFault.Unavailable;
}
