using System.Buffers;
using System.Buffers.Binary;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>
/// Takes a file of unknown length from one thread and sends its blocks while it is written, several at once. The blob appears with
/// <see cref="Complete"/>, whole; without it the blocks that were sent belong to nothing, and the service drops them.
/// </summary>
internal sealed class BlockUploadStream(BlockBlobClient blob, BlobOptions options, BlobFaults faults, CancellationToken cancellationToken) : Stream
{
    private static readonly UploadTransferValidationOptions Checked = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };
    private readonly Guid _upload = Guid.NewGuid();
    private readonly SemaphoreSlim _free = new(options.Concurrency);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly List<string> _blocks = [];
    private readonly List<Task> _sending = [];
    private byte[]? _buffer;
    private int _filled;
    private volatile Exception? _failure;
    private bool _isDisposed;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            var size = BlockSizes.Of(_blocks.Count, options.BlockBytes);
            _buffer ??= ArrayPool<byte>.Shared.Rent(size);
            var part = buffer[..Math.Min(size - _filled, buffer.Length)];
            part.CopyTo(_buffer.AsSpan(_filled));
            _filled += part.Length;
            buffer = buffer[part.Length..];
            if (_filled == size)
            {
                Send();
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Sends the rest and makes the blob what was written.</summary>
    /// <exception cref="StorageException">Something of it could not be sent.</exception>
    public void Complete()
    {
        if (_blocks.Count == 0)
        {
            using var whole = new MemoryStream(_buffer ?? [], 0, _filled, writable: false);
            faults.Guard(() => blob.Upload(whole, new BlobUploadOptions { TransferValidation = Checked }, _stop.Token));
            return;
        }

        if (_filled > 0)
        {
            Send();
        }

        Task.WaitAll(_sending);
        ThrowIfFailed();
        faults.Guard(() => blob.CommitBlockList(_blocks, new CommitBlockListOptions(), _stop.Token));
    }

    public override void Flush()
    {
        // A block goes when it is full.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _stop.Cancel();
            Task.WaitAll(_sending);
            if (_buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(_buffer);
                _buffer = null;
            }

            _stop.Dispose();
            _free.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Send()
    {
        _free.Wait(_stop.Token);
        ThrowIfFailed();
        // Names of one blob's blocks have one length; the upload is in them, so that one that was cut off leaves nothing for the next.
        var name = new byte[20];
        _upload.TryWriteBytes(name);
        BinaryPrimitives.WriteInt32BigEndian(name.AsSpan(16), _blocks.Count);
        _blocks.Add(Convert.ToBase64String(name));
        var (buffer, count, block) = (_buffer!, _filled, _blocks[^1]);
        (_buffer, _filled) = (null, 0);
        _sending.RemoveAll(task => task.IsCompleted);
        _sending.Add(Task.Run(() => SendAsync(block, buffer, count)));
    }

    /// <summary>Never fails: the thread that writes hears of it.</summary>
    private async Task SendAsync(string block, byte[] buffer, int count)
    {
        try
        {
            using var content = new MemoryStream(buffer, 0, count, writable: false);
            await blob.StageBlockAsync(block, content, new BlockBlobStageBlockOptions { TransferValidation = Checked }, _stop.Token);
        }
        catch (Exception e)
        {
            _failure ??= faults.Find(e) ?? e;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _free.Release();
        }
    }

    private void ThrowIfFailed()
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_failure is { } failure)
        {
            throw failure is StorageException storage ? storage : new InvalidOperationException($"{blob.Name}: a block could not be sent", failure);
        }
    }
}
