using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Contract;

public sealed class BlobStorageTests(AzuriteServer azurite) : StorageContract
{
    private readonly Uri _container = azurite.NewContainer().Uri;

    protected override ICheckpointStorage Open(string root, int blockBytes = 1 << 16) => CheckpointStorages.Open($"{_container.AbsoluteUri}/{root}/in", azurite.Environment, new BlobOptions { BlockBytes = blockBytes });
}
