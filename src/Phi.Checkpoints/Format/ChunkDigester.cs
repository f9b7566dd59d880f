using System.Buffers;
using System.Security.Cryptography;

namespace Phi.Checkpoints.Format;

/// <summary>Makes the digests of a shard's header and chunks while the shard is written; see <see cref="ChunkDigests"/>.</summary>
/// <param name="chunkBytes">A power of two up to <see cref="LargestChunk"/>.</param>
public sealed class ChunkDigester(int chunkBytes)
{
    /// <summary>1 MiB.</summary>
    public const int LargestChunk = 1 << 20;

    private readonly ArrayBufferWriter<byte> _digests = new();
    private int _headerBytes;

    /// <summary>All digests so far.</summary>
    public ReadOnlyMemory<byte> Digests => _digests.WrittenMemory;

    /// <summary>How a manifest lists the digests once they are in a file of that name.</summary>
    public ChunkDigests Describe(string file) => new(file, _digests.WrittenCount / SHA256.HashSizeInBytes, _headerBytes, chunkBytes, Convert.ToHexStringLower(SHA256.HashData(Digests.Span)));

    internal void AddHeader(ReadOnlySpan<byte> header)
    {
        _headerBytes = header.Length;
        Put(header);
    }

    /// <param name="piece">Of one tensor: whole chunks, or its end.</param>
    internal void Add(ReadOnlySpan<byte> piece)
    {
        for (; !piece.IsEmpty; piece = piece[Math.Min(chunkBytes, piece.Length)..])
        {
            Put(piece[..Math.Min(chunkBytes, piece.Length)]);
        }
    }

    private void Put(ReadOnlySpan<byte> chunk)
    {
        SHA256.HashData(chunk, _digests.GetSpan(SHA256.HashSizeInBytes));
        _digests.Advance(SHA256.HashSizeInBytes);
    }
}
