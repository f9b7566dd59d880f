using System.IO.MemoryMappedFiles;
using Phi.Collectives.Channels;

namespace Phi.Collectives.Rendezvous;

/// <summary>Memory of one pair of ranks, mapped from /dev/shm. The file is unlinked once both have mapped it, so nothing is left behind.</summary>
internal sealed unsafe class SharedMemory : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _memory;
    private readonly long _capacity;
    private bool _disposed;

    private SharedMemory(MemoryMappedFile file, long capacity)
    {
        _file = file;
        _capacity = capacity;
        _view = file.CreateViewAccessor(0, SizeBytes(capacity));
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _memory);
    }

    public static (SharedMemory Memory, string Path) Create(long capacity)
    {
        var path = $"/dev/shm/phi-{Guid.NewGuid():N}";
        using var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        stream.SetLength(SizeBytes(capacity));
        return (Open(path, capacity), path);
    }

    public static SharedMemory Open(string path, long capacity) =>
        new(MemoryMappedFile.CreateFromFile(new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete), null, SizeBytes(capacity), MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false), capacity);

    /// <summary>The ring from the lower rank to the higher, and the one back.</summary>
    public (RingBuffer Up, RingBuffer Down) Rings() => (new RingBuffer(_memory, _capacity), new RingBuffer(_memory + RingBytes(_capacity), _capacity));

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }

    private static long SizeBytes(long capacity) => 2 * RingBytes(capacity);

    /// <summary>Whole cache lines, so that the second ring's counters have lines of their own.</summary>
    private static long RingBytes(long capacity) => (RingBuffer.SizeBytes(capacity) + 63) / 64 * 64;
}
