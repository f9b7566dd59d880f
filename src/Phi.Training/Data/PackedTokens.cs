using System.Buffers;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Phi.Training.Data;

/// <summary>
/// Byte tokens of a corpus in a memory-mapped file: 16-bit little-endian, each source file ended by the end-of-text token. The file's
/// name is the digest of what went in, so ranks of one node share it and a changed source gives another file.
/// </summary>
public sealed unsafe class PackedTokens : MemoryManager<ushort>
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private PackedTokens(string path)
    {
        Count = checked((int)(new FileInfo(path).Length / sizeof(ushort)));
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Tokens, end-of-text tokens included.</summary>
    public int Count { get; }

    /// <summary>Packs the sources into the cache unless that was done before. Safe for ranks that do it at the same time.</summary>
    /// <exception cref="DataException">A source names nothing, or all files are empty.</exception>
    public static PackedTokens Open(IReadOnlyList<string> sources, string cache)
    {
        var files = DataSources.Resolve(sources);
        Directory.CreateDirectory(cache);
        var path = Path.Combine(cache, $"bytes-{Digest(files)}.tokens");
        if (!File.Exists(path))
        {
            var temporary = $"{path}.{Environment.ProcessId}.tmp";
            using (var stream = File.Create(temporary))
            {
                stream.Write(MemoryMarshal.AsBytes<ushort>(ByteCorpus.Pack(files)));
            }

            File.Move(temporary, path, overwrite: true);
        }

        return new PackedTokens(path);
    }

    public override Span<ushort> GetSpan() => new(_start, Count);

    public override MemoryHandle Pin(int elementIndex = 0) => new((ushort*)_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }

    private static string Digest(IReadOnlyList<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            var info = new FileInfo(file);
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{file}\n{info.Length}\n{info.LastWriteTimeUtc.Ticks}\n")));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
