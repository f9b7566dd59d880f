using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Contract;

public sealed class BlobAttemptFenceTests(AzuriteServer azurite) : AttemptFenceContract
{
    private readonly Uri _container = azurite.NewContainer().Uri;

    protected override ICheckpointStorage Open(string root) => CheckpointStorages.Open($"{_container.AbsoluteUri}/{root}/in", azurite.Environment, new BlobOptions());
}
