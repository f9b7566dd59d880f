using System.Security.Cryptography;

namespace Phi.Checkpoints.Stores;

/// <summary>Finds out whether a storage can be written, read and cleared, before hours are spent on what it shall hold.</summary>
public static class StorageProbe
{
    private const int Bytes = 64;

    /// <param name="name">Of the file, which is gone afterwards; nobody else uses it.</param>
    /// <exception cref="StorageException">Something of it is refused, or fails.</exception>
    public static void Run(ICheckpointStorage storage, string name)
    {
        var (file, sent, back) = ($"probes/{name}", RandomNumberGenerator.GetBytes(Bytes), new byte[Bytes]);
        storage.Write(file, stream => stream.Write(sent), CancellationToken.None);
        try
        {
            storage.Read(file, 0, back);
        }
        catch (CheckpointException e)
        {
            throw new StorageException($"what was just written cannot be read: {e.Message}; see whether something else clears {storage.Describe("")}", e) { Fault = StorageFault.Refused };
        }

        storage.Delete(file);
        if (!back.AsSpan().SequenceEqual(sent))
        {
            throw new StorageException($"{storage.Describe(file)} does not hold what was just written; use a storage that keeps what it is given") { Fault = StorageFault.Refused };
        }
    }
}
