using System.Buffers;
using System.Security.Cryptography;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Resharding;

/// <summary>
/// Parts of a saved shard's tensors, each checked before it is handed out: by the digests of the chunks around it, or, where the manifest
/// has none, by the digest of the whole file, which is read once for that. Safe for several threads.
/// </summary>
public sealed class ShardReader
{
    private const int LargestRead = 4 << 20;
    private readonly ICheckpointFiles _files;
    private readonly long _step;
    private readonly ShardEntry _shard;
    private readonly SafetensorsHeader _header;
    private readonly byte[] _digests = [];
    private readonly ChunkMap? _chunks;

    /// <exception cref="CheckpointException">The shard, or the digests of its chunks, cannot be read or are not what the manifest says.</exception>
    public ShardReader(ICheckpointFiles files, long step, ShardEntry shard)
    {
        (_files, _step, _shard) = (files, step, shard);
        if (shard.Chunks is not { } chunks)
        {
            CheckWhole();
            _header = Parse(Get(new byte[SafetensorsHeader.EndOf(Get(new byte[SafetensorsHeader.PrefixBytes], 0), Name)], 0));
            return;
        }

        if (chunks.Count < 1 || chunks.ChunkBytes is < 1 or > ChunkDigester.LargestChunk || chunks.HeaderBytes <= SafetensorsHeader.PrefixBytes || chunks.HeaderBytes > shard.Bytes)
        {
            throw new CheckpointException($"{Name}: its manifest lists {chunks.Count} digests of chunks of {chunks.ChunkBytes} bytes behind a header of {chunks.HeaderBytes}, which cannot be");
        }

        _digests = new byte[checked(chunks.Count * SHA256.HashSizeInBytes)];
        files.Read(step, chunks.File, 0, _digests);
        if (Convert.ToHexStringLower(SHA256.HashData(_digests)) is var digest && digest != chunks.Sha256)
        {
            throw new CheckpointException($"{Of(chunks.File)} has the SHA-256 {digest}; its manifest says {chunks.Sha256}");
        }

        var header = Get(new byte[chunks.HeaderBytes], 0);
        CheckChunk(header, 0, 0);
        _header = Parse(header);
        _chunks = new ChunkMap(_header, chunks.ChunkBytes);
        if (_chunks.Count != chunks.Count)
        {
            throw new CheckpointException($"{Name} has {_chunks.Count} chunks of {chunks.ChunkBytes} bytes; its manifest says {chunks.Count}");
        }
    }

    private string Name => Of(_shard.File);

    /// <summary>Whether the shard holds a flat fp32 tensor of that name and length, in elements.</summary>
    public bool Has(string tensor, long length) => _header.Tensors.TryGetValue(tensor, out var entry) && entry.Type == nameof(WeightType.F32) && entry.End - entry.Start == length * sizeof(float);

    /// <summary>Consecutive bytes of a tensor as parts that may be read at once: they meet at whole chunks, so that none is read twice.</summary>
    public static IEnumerable<(long First, long Bytes)> Parts(long first, long bytes)
    {
        for (var at = first; at < first + bytes;)
        {
            var end = Math.Min(first + bytes, (at / LargestRead + 1) * LargestRead);
            yield return (at, end - at);
            at = end;
        }
    }

    /// <summary>Copies a whole tensor of the same name and length.</summary>
    /// <exception cref="CheckpointException">It is missing, has another length, or is damaged.</exception>
    public unsafe void Read(ShardTensor into)
    {
        var entry = SafetensorsFile.Find(_header, into.Name, into.Length, Name);
        Read(entry, 0, (byte*)into.Values, into.Length * sizeof(float));
    }

    /// <summary>Copies consecutive bytes of a tensor.</summary>
    /// <param name="first">Bytes from the tensor's start.</param>
    /// <exception cref="CheckpointException">The tensor is missing, shorter, or damaged.</exception>
    public unsafe void Read(string tensor, long first, byte* into, long bytes)
    {
        if (!_header.Tensors.TryGetValue(tensor, out var entry) || entry.Type != nameof(WeightType.F32) || first + bytes > entry.End - entry.Start)
        {
            throw new CheckpointException($"{Name} has {(entry is null ? "no" : $"{entry.End - entry.Start} bytes of {entry.Type} in")} {tensor}; the bytes {first} to {first + bytes} of F32 were expected");
        }

        Read(entry, first, into, bytes);
    }

    private unsafe void Read(SafetensorsEntry entry, long first, byte* into, long bytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(LargestRead + 2 * ChunkDigester.LargestChunk);
        try
        {
            foreach (var (at, part) in Parts(first, bytes))
            {
                var (coverFirst, coverBytes, digest) = _chunks?.Cover(entry, at, part) ?? (at, part, 0);
                var start = _header.DataStart + entry.Start + coverFirst;
                var read = Get(buffer.AsSpan(0, (int)coverBytes), start);
                if (_chunks is not null)
                {
                    CheckChunks(read, digest, start);
                }

                read.Slice((int)(at - coverFirst), (int)part).CopyTo(new Span<byte>(into + (at - first), (int)part));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private ReadOnlySpan<byte> Get(Span<byte> into, long first)
    {
        _files.Read(_step, _shard.File, first, into);
        return into;
    }

    private void CheckChunks(ReadOnlySpan<byte> read, int digest, long first)
    {
        for (var size = _shard.Chunks!.ChunkBytes; !read.IsEmpty; read = read[Math.Min(size, read.Length)..])
        {
            CheckChunk(read[..Math.Min(size, read.Length)], digest++, first);
            first += size;
        }
    }

    private void CheckChunk(ReadOnlySpan<byte> chunk, int digest, long first)
    {
        Span<byte> found = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(chunk, found);
        if (!found.SequenceEqual(_digests.AsSpan(digest * SHA256.HashSizeInBytes, SHA256.HashSizeInBytes)))
        {
            throw new CheckpointException($"{Name} is damaged: its bytes {first} to {first + chunk.Length} have not the SHA-256 that they were written with");
        }
    }

    private SafetensorsHeader Parse(ReadOnlySpan<byte> header) => SafetensorsHeader.Parse(header[SafetensorsHeader.PrefixBytes..].ToArray(), _shard.Bytes, Name);

    private void CheckWhole()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Min(LargestRead, _shard.Bytes)];
        for (var at = 0L; at < _shard.Bytes; at += LargestRead)
        {
            hash.AppendData(Get(buffer.AsSpan(0, (int)Math.Min(LargestRead, _shard.Bytes - at)), at));
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) is var digest && digest != _shard.Sha256)
        {
            throw new CheckpointException($"{Name} has the SHA-256 {digest}; its manifest says {_shard.Sha256}");
        }
    }

    private string Of(string file) => $"{file} of step {_step}";
}
