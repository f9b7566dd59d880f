using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests.Contract;

public sealed class FolderAttemptFenceTests : AttemptFenceContract, IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi storage ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    protected override ICheckpointStorage Open(string root) => new FolderStorage(Path.Combine(_root, root));
}
