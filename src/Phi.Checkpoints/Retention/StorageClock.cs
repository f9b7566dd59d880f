using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Retention;

/// <summary>The time by a storage's own clock, which is the one that its files' times are of.</summary>
internal static class StorageClock
{
    /// <summary>Writes a file, and removes it.</summary>
    public static DateTimeOffset Read(ICheckpointStorage storage)
    {
        var name = $"clock-{Guid.NewGuid():N}";
        try
        {
            storage.Write(name, stream => stream.WriteByte(0), CancellationToken.None);
            return storage.Find(name)?.Modified ?? throw new StorageException($"{StorageNames.Describe(storage, name)} is gone right after it was written");
        }
        finally
        {
            storage.Delete(name);
        }
    }
}
