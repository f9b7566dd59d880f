using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

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
            throw Unusable(field, e);
        }
    }

    /// <summary>What <c>spec.phi.initialize</c> names, looked at by the first rank of each pod.</summary>
    /// <exception cref="StorageException">It cannot be used; the message names the field.</exception>
    public static (CheckpointStore Store, long? Step) OpenSource(RankStart start, InitializeAssignment source)
    {
        var spec = start.Assignment.Spec;
        var field = InitializeSource.Field(spec);
        var (root, step) = CheckpointLocation.Parse(source.Location.Contains("://", StringComparison.Ordinal) ? source.Location : Path.Combine(start.CheckpointRoot, source.Location));
        try
        {
            var store = new CheckpointStore(CheckpointStorages.Open(root, name => SourceVariable(name, spec), new BlobOptions { Field = field }));
            if (start.Rank == start.Assignment.FirstRank)
            {
                _ = store.CommittedSteps();
            }

            return (store, step);
        }
        catch (StorageException e)
        {
            throw Unusable(field, e);
        }
    }

    /// <summary>The source's own Secret is for nothing else, and so is the store's; what a user set for the pods is for both.</summary>
    private static string? SourceVariable(string name, TrainingJobSpec spec) => Environment.GetEnvironmentVariable(PhiEnvironment.InitializeConnectionString) is { Length: > 0 } own
        ? name == PhiEnvironment.AzureStorageConnectionString ? own : null
        : name == PhiEnvironment.AzureStorageConnectionString && spec.Checkpoint?.Store?.AzureBlob?.SecretName is not null ? null : Environment.GetEnvironmentVariable(name);

    private static StorageException Unusable(string field, StorageException e) => new($"{field} cannot be used: {e.Message}", e) { Fault = e.Fault };

    public static int ExitCode(StorageFault fault) => fault switch
    {
        StorageFault.Unavailable => RankExitCodes.StorageUnavailable,
        StorageFault.Refused => RankExitCodes.BadInput,
        _ => RankExitCodes.Failed,
    };
}
