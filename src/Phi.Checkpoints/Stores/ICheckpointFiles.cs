namespace Phi.Checkpoints.Stores;

/// <summary>A store's files by ranges of their bytes: all that loading a committed checkpoint needs. Safe for several threads.</summary>
public interface ICheckpointFiles
{
    /// <summary>Fills the memory with consecutive bytes of a file of the step's checkpoint.</summary>
    /// <param name="first">Bytes from the file's start.</param>
    /// <exception cref="CheckpointException">The file is missing, cannot be read, or ends before them.</exception>
    void Read(long step, string file, long first, Span<byte> into);
}
