using Phi.Checkpoints.Stores;

namespace Phi.Benchmarks.Benches;

/// <summary>A storage that counts the bytes that are read of it.</summary>
internal sealed class CountingStorage(ICheckpointStorage storage) : ICheckpointStorage
{
    private long _bytesRead;

    public long BytesRead => Interlocked.Read(ref _bytesRead);

    public Uri UriOf(string name) => storage.UriOf(name);

    public IReadOnlyList<StoredFile> List(string prefix) => storage.List(prefix);

    public StoredFile? Find(string name) => storage.Find(name);

    public void Write(string name, Action<Stream> write, CancellationToken cancellationToken) => storage.Write(name, write, cancellationToken);

    public void Read(string name, long first, Span<byte> into)
    {
        storage.Read(name, first, into);
        Interlocked.Add(ref _bytesRead, into.Length);
    }

    public void Delete(string name) => storage.Delete(name);

    public void DeleteFolder(string name) => storage.DeleteFolder(name);

    public void Begin(string runId, int attempt) => storage.Begin(runId, attempt);

    public bool Commit(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, IReadOnlyCollection<string> damaged) => storage.Commit(runId, attempt, manifest, content, damaged);

    public void Dispose() => storage.Dispose();
}
