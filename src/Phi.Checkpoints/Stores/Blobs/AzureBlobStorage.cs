using System.Runtime.ExceptionServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>Blobs of one container below a prefix. How attempts are kept apart: <see cref="BlobFence"/>.</summary>
public sealed class AzureBlobStorage : ICheckpointStorage
{
    private readonly BlobLocation _location;
    private readonly BlobOptions _options;
    private readonly BlobFaults _faults;
    private readonly BlobContainerClient _container;
    private readonly ContainerBlobs _blobs;
    private readonly BlobFence _fence;
    private readonly string _prefix;

    /// <param name="environment">A variable's value by its name: where credentials are looked for.</param>
    /// <exception cref="StorageException">The credential is unusable, or of another account.</exception>
    public AzureBlobStorage(BlobLocation location, Func<string, string?> environment, BlobOptions options)
    {
        (_location, _options, _faults) = (location, options, new BlobFaults(location, options.Field));
        _prefix = location.Prefix.Length == 0 ? "" : location.Prefix + "/";
        _container = BlobClients.Open(location, environment, options);
        _blobs = new ContainerBlobs(_container, _prefix, _faults);
        _fence = new BlobFence(_blobs);
    }

    public Uri UriOf(string name) => new($"{_location.Address.AbsoluteUri}/{string.Join('/', (_prefix + name).TrimEnd('/').Split('/').Select(Uri.EscapeDataString))}");

    public IReadOnlyList<StoredFile> List(string prefix) =>
        [.. _blobs.List(prefix).Where(IsFile).Select(blob => new StoredFile(blob.Name[_prefix.Length..], blob.Properties.ContentLength ?? 0, blob.Properties.LastModified ?? default)).OrderBy(file => file.Name, StringComparer.Ordinal)];

    public StoredFile? Find(string name) => _faults.Guard(() =>
    {
        try
        {
            var found = Blob(name).GetProperties().Value;
            return BlobNames.IsReservation(found.Metadata) || BlobNames.IsDirectory(found.Metadata) ? null : new StoredFile(name, found.ContentLength, found.LastModified);
        }
        catch (RequestFailedException e) when (ContainerBlobs.IsMissing(e))
        {
            return null;
        }
    });

    public void Write(string name, Action<Stream> write, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var stream = new BlockUploadStream(Blob(name), _options, _faults, cancellationToken);
        write(stream);
        stream.Complete();
    }

    public unsafe void Read(string name, long first, Span<byte> into)
    {
        var (range, length) = (_options.BlockBytes, into.Length);
        if (length <= range)
        {
            ReadRange(name, first, into);
            return;
        }

        fixed (byte* start = into)
        {
            var address = (nint)start;
            Each(Enumerable.Range(0, (length + range - 1) / range), index =>
            {
                var at = index * range;
                ReadRange(name, first + at, new Span<byte>((byte*)address + at, Math.Min(range, length - at)));
            });
        }
    }

    public void Delete(string name) => _faults.Guard(() => Blob(name).DeleteIfExists(DeleteSnapshotsOption.IncludeSnapshots).Value);

    public void DeleteFolder(string name)
    {
        var all = _blobs.List(name).Where(blob => blob.Name == _prefix + name || blob.Name.StartsWith($"{_prefix}{name}/", StringComparison.Ordinal)).ToList();
        var files = all.Where(blob => !BlobNames.IsDirectory(blob.Metadata) && blob.Name != _prefix + name);
        Each(files, blob => Delete(blob.Name[_prefix.Length..]));
        // The innermost first: only an empty directory can be removed.
        foreach (var directory in all.Where(blob => BlobNames.IsDirectory(blob.Metadata)).OrderByDescending(blob => blob.Name.Length))
        {
            Delete(directory.Name[_prefix.Length..]);
        }
    }

    public void Begin(string runId, int attempt) => _fence.Begin(runId, attempt);

    public bool Commit(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, IReadOnlyCollection<string> damaged) => _fence.Commit(runId, attempt, manifest, content, damaged);

    public void Dispose()
    {
        // Clients hold nothing open; connections are the process's.
    }

    private static bool IsFile(BlobItem blob) => !BlobNames.IsReservation(blob.Metadata) && !BlobNames.IsDirectory(blob.Metadata);

    private BlockBlobClient Blob(string name) => name.Length > 0 && !name.Split('/').Any(part => part is "" or "." or "..")
        ? _container.GetBlockBlobClient(_prefix + name)
        : throw new CheckpointException($"'{name}' is no name of a file below {_location}");

    /// <summary>Several at once; throws the first failure as it is.</summary>
    private void Each<T>(IEnumerable<T> items, Action<T> work)
    {
        try
        {
            Parallel.ForEach(items, new ParallelOptions { MaxDegreeOfParallelism = _options.Concurrency }, work);
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private void ReadRange(string name, long first, Span<byte> into)
    {
        if (into.Length == 0)
        {
            return;
        }

        try
        {
            using var answer = Blob(name).DownloadStreaming(new BlobDownloadOptions { Range = new HttpRange(first, into.Length) }).Value;
            if (BlobNames.IsReservation(answer.Details.Metadata))
            {
                throw Missing(name);
            }

            var count = answer.Content.ReadAtLeast(into, into.Length, throwOnEndOfStream: false);
            if (count < into.Length)
            {
                throw CutOff(name, first, count, into.Length);
            }
        }
        catch (RequestFailedException e) when (ContainerBlobs.IsMissing(e))
        {
            throw Missing(name);
        }
        catch (RequestFailedException e) when (e.Status == 416)
        {
            throw CutOff(name, first, 0, into.Length);
        }
        catch (Exception e) when (_faults.Find(e) is { } fault)
        {
            throw fault;
        }
    }

    private CheckpointException Missing(string name) => new($"{this.Describe(name)} cannot be read: there is no such file");

    private CheckpointException CutOff(string name, long first, int count, int wanted) => new($"{this.Describe(name)} is cut off: it ends at or before byte {first + count}; {first + wanted} were expected");
}
