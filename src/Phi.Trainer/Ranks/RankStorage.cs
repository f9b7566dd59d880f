using Phi.Api.Agent;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;

namespace Phi.Trainer.Ranks;

/// <summary>The storage of the job's checkpoints as its spec names it, found usable before anything is spent on the attempt.</summary>
internal static class RankStorage
{
    /// <summary>The first rank of each pod tries the storage out: what one pod may do, another may not.</summary>
    /// <param name="wrap">What lies between this rank and the storage: nothing, but in tests.</param>
    /// <exception cref="StorageException">It cannot be used; the message names the field.</exception>
    public static CheckpointStore Open(RankStart start, Func<ICheckpointStorage, ICheckpointStorage> wrap)
    {
        var spec = start.Assignment.Spec.Checkpoint!.Store!;
        var (field, location) = spec.AzureBlob is { } blob
            ? ("spec.checkpoint.store.azureBlob", blob.ToAddress())
            : ("spec.checkpoint.store.folder.path", Path.Combine(start.CheckpointRoot, spec.Folder!.Path!));
        try
        {
            var storage = CheckpointStorages.Open(location);
            if (start.Rank == start.Assignment.FirstRank)
            {
                StorageProbe.Run(storage, $"{start.RunId}-{start.Assignment.Attempt}-{start.Rank}");
            }

            return new CheckpointStore(wrap(storage));
        }
        catch (StorageException e)
        {
            throw new StorageException($"{field} cannot be used: {e.Message}", e) { Fault = e.Fault };
        }
    }

    public static int ExitCode(StorageFault fault) => fault switch
    {
        StorageFault.Unavailable => RankExitCodes.StorageUnavailable,
        StorageFault.Refused => RankExitCodes.BadInput,
        _ => RankExitCodes.Failed,
    };
}
