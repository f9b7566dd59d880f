using System.Globalization;
using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Trainer.Tests.Saving;

/// <summary>Blobs that the ranks of an attempt save to, in small blocks, so that a small shard is many requests.</summary>
/// <param name="Address">Without a credential.</param>
/// <param name="RetryFor">For how long a request that fails in passing is tried again.</param>
internal sealed record BlobTarget(string Address, string ConnectionString, TimeSpan RetryFor)
{
    private const string AddressName = "PHI_TESTS_BLOBS";
    private const string RetryName = "PHI_TESTS_RETRY_SECONDS";
    private const string ConnectionName = "AZURE_STORAGE_CONNECTION_STRING";
    private const int BlockBytes = 4096;

    public static BlobTarget In(AzuriteServer azurite, TimeSpan retryFor) => new($"{azurite.NewContainer().Uri.AbsoluteUri}/run", azurite.ConnectionString, retryFor);

    /// <summary>Of the attempt whose rank this process is; null: it saves to a folder.</summary>
    public static BlobTarget? FromEnvironment() => Environment.GetEnvironmentVariable(AddressName) is { } address
        ? new BlobTarget(address, Environment.GetEnvironmentVariable(ConnectionName)!, TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable(RetryName)!, CultureInfo.InvariantCulture)))
        : null;

    public void AddTo(IDictionary<string, string?> environment)
    {
        (environment[AddressName], environment[ConnectionName]) = (Address, ConnectionString);
        environment[RetryName] = RetryFor.TotalSeconds.ToString(CultureInfo.InvariantCulture);
    }

    public ICheckpointStorage Open() => CheckpointStorages.Open(Address, name => name == ConnectionName ? ConnectionString : null, new BlobOptions { BlockBytes = BlockBytes, Concurrency = 2, RetryFor = RetryFor });
}
