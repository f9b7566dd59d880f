using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests.Contract;

public sealed class FolderStorageTests : StorageContract, IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi storage ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    protected override ICheckpointStorage Open(string root, int blockBytes = 1 << 16) => new FolderStorage(Path.Combine(_root, root));
}
