using Phi.Checkpoints.Stores;

namespace Phi.Trainer.Tests.Saving;

/// <summary>A storage that calls at each <see cref="StorageMoment"/>, on the thread that works; what the call throws, the storage does.</summary>
internal sealed class SteppedStorage(ICheckpointStorage inner, Action<StorageMoment, string> at) : ICheckpointStorage
{
    public Uri UriOf(string name) => inner.UriOf(name);

    public IReadOnlyList<StoredFile> List(string prefix) => inner.List(prefix);

    public StoredFile? Find(string name) => inner.Find(name);

    public void Write(string name, Action<Stream> write, CancellationToken cancellationToken)
    {
        at(StorageMoment.WriteBegins, name);
        inner.Write(name, stream => write(new HalfStream(stream, () => at(StorageMoment.WriteGoesOn, name))), cancellationToken);
        at(StorageMoment.WriteEnded, name);
    }

    public void Read(string name, long first, Span<byte> into) => inner.Read(name, first, into);

    public void Delete(string name) => inner.Delete(name);

    public void DeleteFolder(string name) => inner.DeleteFolder(name);

    public void Begin(string runId, int attempt) => inner.Begin(runId, attempt);

    public bool Commit(string runId, int attempt, string manifest, ReadOnlyMemory<byte> content, IReadOnlyCollection<string> damaged)
    {
        at(StorageMoment.CommitBegins, manifest);
        if (inner.UriOf(manifest) is { IsFile: true } file)
        {
            File.WriteAllBytes($"{file.LocalPath}.{attempt}.tmp", content[..(content.Length / 2)].ToArray());
        }

        at(StorageMoment.CommitGoesOn, manifest);
        var isNew = inner.Commit(runId, attempt, manifest, content, damaged);
        at(StorageMoment.CommitEnded, manifest);
        return isNew;
    }

    public void Dispose() => inner.Dispose();

    /// <summary>Calls once the first bytes are written and flushed.</summary>
    private sealed class HalfStream(Stream inner, Action half) : Stream
    {
        private bool _hasCalled;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            var first = (buffer.Length + 1) / 2;
            inner.Write(buffer[..first]);
            if (!_hasCalled)
            {
                _hasCalled = true;
                inner.Flush();
                half();
            }

            inner.Write(buffer[first..]);
        }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
