using Phi.Data.Preparation;

namespace Phi.Data.Tests;

/// <summary>The lock of a folder that is prepared.</summary>
public sealed class FolderLockTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Take_WhileAnotherHoldsIt_FailsOrWaits()
    {
        var held = await FolderLock.TakeAsync(_folder.Root, wait: false, CancellationToken.None);

        await Assert.ThrowsAsync<DataException>(() => FolderLock.TakeAsync(_folder.Root, wait: false, CancellationToken.None));
        var waiting = FolderLock.TakeAsync(_folder.Root, wait: true, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        held.Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task Take_WhereNoLockCanBe_DoesNotWaitForOne()
    {
        File.CreateSymbolicLink(_folder[FolderLock.FileName], _folder[FolderLock.FileName]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));

        await Assert.ThrowsAsync<IOException>(() => FolderLock.TakeAsync(_folder.Root, wait: true, patience.Token));
    }
}
