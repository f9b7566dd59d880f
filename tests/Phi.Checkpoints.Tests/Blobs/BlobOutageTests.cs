using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>The service is killed in the middle of an upload and comes back, or does not.</summary>
public sealed class BlobOutageTests : IDisposable
{
    private const int BlockBytes = 1 << 16;
    private readonly AzuriteServer _azurite = new();
    private readonly RetryTime _time = new();

    public void Dispose() => _azurite.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(60)]
    public async Task Write_ServiceIsGoneForSeconds_GoesOnAndIsWhole(int seconds)
    {
        using var storage = Open();
        var content = new byte[20 * BlockBytes + 5];
        new Random(seconds).NextBytes(content);
        using var killed = new SemaphoreSlim(0);
        using var halfway = new SemaphoreSlim(0);
        var writing = Task.Run(() => storage.Write("step-00000001/file", stream =>
        {
            stream.Write(content.AsSpan(0, 10 * BlockBytes));
            halfway.Release();
            killed.Wait();
            stream.Write(content.AsSpan(10 * BlockBytes));
        }, CancellationToken.None));
        await halfway.WaitAsync();
        _azurite.WaitUntilSaved();
        _azurite.Kill();
        killed.Release();

        await _time.PassAsync(writing, TimeSpan.FromSeconds(seconds));
        Assert.False(writing.IsCompleted);
        _azurite.Start();
        await _time.PassAsync(writing, TimeSpan.FromMinutes(10));

        await writing;
        var back = new byte[content.Length];
        storage.Read("step-00000001/file", 0, back);
        Assert.Equal(content, back);
    }

    [Fact]
    public async Task WriteReadAndBegin_ServiceStaysAway_FailAsUnavailableWhenTheTimeIsOver()
    {
        using var storage = Open();
        storage.Write("file", stream => stream.Write("content"u8), CancellationToken.None);
        _azurite.Kill();
        Action[] works = [() => storage.Write("other", stream => stream.Write(new byte[3 * BlockBytes]), CancellationToken.None), () => storage.Read("file", 0, new byte[7]), () => storage.Begin("run", 1)];
        foreach (var work in works)
        {
            var started = _time.GetUtcNow();
            var working = Task.Run(work);
            await _time.PassAsync(working, TimeSpan.FromMinutes(10));
            var error = await Assert.ThrowsAsync<StorageException>(() => working);
            Assert.Equal(StorageFault.Unavailable, error.Fault);
            Assert.Contains("ConnectionRefused", error.Message, StringComparison.Ordinal);
            Assert.True(_time.GetUtcNow() - started > TimeSpan.FromSeconds(90));
        }
    }

    private ICheckpointStorage Open() =>
        CheckpointStorages.Open($"{_azurite.NewContainer().Uri.AbsoluteUri}/prefix", _azurite.Environment, new BlobOptions { BlockBytes = BlockBytes, Concurrency = 1, Time = _time });
}
