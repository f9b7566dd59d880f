using System.IO.MemoryMappedFiles;

namespace Phi.Data.Shards;

/// <summary>The tokens of one shard file in memory that the system pages in: little-endian, 16 or 32 bits each, without a header.</summary>
internal sealed unsafe class MappedShard : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _bits;
    private readonly byte* _start;

    public MappedShard(string path, int bits)
    {
        _bits = bits;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    public void CopyTo(long start, Span<long> window)
    {
        for (var i = 0; i < window.Length; i++)
        {
            window[i] = _bits == 16 ? ((ushort*)_start)[start + i] : ((uint*)_start)[start + i];
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
