using Azure.Core;
using Azure.Storage.Blobs.Models;
using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>How bytes travel: several blocks at once and no more, each with its digest, and directories are no files.</summary>
public sealed class BlobTransferTests(AzuriteServer azurite)
{
    private const int BlockBytes = 4096;
    private readonly Uri _container = azurite.NewContainer().Uri;

    [Fact]
    public void Write_FasterThanTheService_SendsSeveralBlocksAtOnceAndWaitsForThem()
    {
        var (atOnce, most, taken) = (0, 0, 0);
        using var all = new Barrier(3);
        using var storage = Open(new Interceptor(message =>
        {
            if (!IsBlock(message))
            {
                return Task.CompletedTask;
            }

            lock (all)
            {
                most = Math.Max(most, ++atOnce);
            }

            return Task.Run(() => all.SignalAndWait());
        }, message =>
        {
            lock (all)
            {
                atOnce -= IsBlock(message) ? 1 : 0;
            }
        }), concurrency: 3);

        storage.Write("file", stream =>
        {
            for (var block = 0; block < 9; block++)
            {
                stream.Write(new byte[BlockBytes]);
                Interlocked.Increment(ref taken);
            }
        }, CancellationToken.None);

        Assert.Equal((3, 9), (most, taken));
        Assert.Equal(9 * BlockBytes, storage.Find("file")!.Bytes);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(3 * BlockBytes)]
    public void Write_BytesThatChangeOnTheirWay_AreRefusedAndNothingIsThere(int bytes)
    {
        using var storage = Open(new Interceptor(message =>
        {
            if (message.Request.Method == RequestMethod.Put && message.Request.Headers.TryGetValue("Content-MD5", out _))
            {
                message.Request.Content = RequestContent.Create(new byte[Math.Min(bytes, BlockBytes)]);
            }

            return Task.CompletedTask;
        }), 2);

        var error = Assert.Throws<StorageException>(() => storage.Write("file", stream => stream.Write([.. Enumerable.Repeat((byte)7, bytes)]), CancellationToken.None));

        Assert.Contains("Md5Mismatch", error.Message, StringComparison.Ordinal);
        Assert.Null(storage.Find("file"));
    }

    [Fact]
    public void List_DirectoriesOfAHierarchicalNamespace_AreNoFilesAndLeaveWithTheirFolder()
    {
        var container = azurite.Container(_container.Segments[^1]);
        foreach (var directory in new[] { "prefix", "prefix/step-00000010", "prefix/step-00000010/in" })
        {
            container.GetBlobClient(directory).Upload(BinaryData.Empty, new BlobUploadOptions { Metadata = new Dictionary<string, string> { ["hdi_isfolder"] = "true" } });
        }

        using var storage = Open(null, 2);
        storage.Write("step-00000010/in/file", stream => stream.Write("x"u8), CancellationToken.None);

        Assert.Equal(["step-00000010/in/file"], storage.List("").Select(file => file.Name));
        Assert.Null(storage.Find("step-00000010"));
        storage.DeleteFolder("step-00000010");
        Assert.Equal(["prefix"], container.GetBlobs().Select(blob => blob.Name));
    }

    private static bool IsBlock(HttpMessage message) => message.Request.Uri.Query.Contains("comp=block&", StringComparison.Ordinal);

    private ICheckpointStorage Open(Interceptor? interceptor, int concurrency) =>
        CheckpointStorages.Open($"{_container.AbsoluteUri}/prefix", azurite.Environment, new BlobOptions { BlockBytes = BlockBytes, Concurrency = concurrency, Interceptor = interceptor });
}
