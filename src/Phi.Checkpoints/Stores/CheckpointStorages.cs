using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Stores;

/// <summary>Opens storages by the words that people name them with.</summary>
public static class CheckpointStorages
{
    /// <summary>
    /// A folder's path, <c>file://</c>, <c>https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX</c> with a signature or without, or an
    /// emulator's <c>http://127.0.0.1:10000/devstoreaccount1/CONTAINER/PREFIX</c>.
    /// </summary>
    /// <param name="environment">A variable's value by its name, for credentials of blobs: AZURE_STORAGE_SAS_TOKEN, else AZURE_STORAGE_CONNECTION_STRING, else what DefaultAzureCredential finds. Null: the process's.</param>
    /// <exception cref="CheckpointException">The location is none of these.</exception>
    /// <exception cref="StorageException">The credential is unusable, or of another account.</exception>
    public static ICheckpointStorage Open(string location, Func<string, string?>? environment = null, BlobOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(location);
        if (!location.Contains("://", StringComparison.Ordinal))
        {
            return new FolderStorage(location);
        }

        var shown = location.Split('?')[0];
        return Uri.TryCreate(location, UriKind.Absolute, out var address)
            ? address.Scheme switch
            {
                "file" => new FolderStorage(address.LocalPath),
                "http" or "https" => new AzureBlobStorage(BlobLocation.Parse(address), environment ?? Environment.GetEnvironmentVariable, options ?? new BlobOptions()),
                _ => throw new CheckpointException($"'{shown}' has the scheme {address.Scheme}, which no storage here has; write a folder's path, file:// or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX"),
            }
            : throw new CheckpointException($"'{shown}' is no address; write a folder's path, or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX");
    }
}
