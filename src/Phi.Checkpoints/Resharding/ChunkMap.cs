using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Resharding;

/// <summary>Which chunks of a shard hold a part of a tensor, and which digests are theirs; see <see cref="ChunkDigests"/>.</summary>
internal sealed class ChunkMap
{
    private readonly int _chunkBytes;
    private readonly Dictionary<string, int> _firstDigests = new(StringComparer.Ordinal);

    public ChunkMap(SafetensorsHeader header, int chunkBytes)
    {
        _chunkBytes = chunkBytes;
        // The first digest is the header's.
        Count = 1;
        foreach (var tensor in header.Tensors.Values.OrderBy(tensor => tensor.Start).ThenBy(tensor => tensor.End))
        {
            _firstDigests[tensor.Name] = Count;
            Count = checked(Count + (int)((tensor.End - tensor.Start + chunkBytes - 1) / chunkBytes));
        }
    }

    /// <summary>Digests of the shard.</summary>
    public int Count { get; }

    /// <summary>The whole chunks around consecutive bytes of a tensor, at least one.</summary>
    /// <returns>First byte from the tensor's start, number of bytes, and the index of the first chunk's digest.</returns>
    public (long First, long Bytes, int Digest) Cover(SafetensorsEntry tensor, long first, long bytes)
    {
        var chunk = first / _chunkBytes;
        var end = Math.Min((first + bytes + _chunkBytes - 1) / _chunkBytes * _chunkBytes, tensor.End - tensor.Start);
        return (chunk * _chunkBytes, end - chunk * _chunkBytes, _firstDigests[tensor.Name] + (int)chunk);
    }
}
