using System.Security.Cryptography;

namespace Phi.Checkpoints.Format;

/// <summary>Whole files in the safetensors format; see <see cref="SafetensorsHeader"/>.</summary>
public static class SafetensorsFile
{
    /// <summary>Whole elements of every type, and whole chunks.</summary>
    private const int LargestPiece = ChunkDigester.LargestChunk;

    /// <summary>Writes the tensors in order, piece by piece; returns size and digest of the file.</summary>
    /// <param name="chunks">Takes the digests of header and chunks; null: nobody reads the file in parts.</param>
    public static (long Bytes, string Sha256) Write(Stream to, IReadOnlyList<StreamedTensor> tensors, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken, ChunkDigester? chunks = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var written = 0L;
        var header = SafetensorsHeader.Write(tensors, metadata);
        Put(header);
        chunks?.AddHeader(header);
        var buffer = new byte[LargestPiece];
        foreach (var tensor in tensors)
        {
            for (var at = 0L; at < tensor.Bytes; at += LargestPiece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(LargestPiece, tensor.Bytes - at));
                tensor.Read(at, piece);
                Put(piece);
                chunks?.Add(piece);
            }
        }

        return (written, Convert.ToHexStringLower(hash.GetHashAndReset()));

        void Put(ReadOnlySpan<byte> piece)
        {
            to.Write(piece);
            hash.AppendData(piece);
            written += piece.Length;
        }
    }

    /// <summary>The entry of a flat fp32 tensor.</summary>
    /// <exception cref="CheckpointException">It is missing, or has another length or type.</exception>
    internal static SafetensorsEntry Find(SafetensorsHeader header, string tensor, long length, string file)
    {
        if (!header.Tensors.TryGetValue(tensor, out var entry))
        {
            throw new CheckpointException($"{file} lacks the tensor {tensor}");
        }

        return entry.Type == nameof(WeightType.F32) && entry.End - entry.Start == length * sizeof(float)
            ? entry
            : throw new CheckpointException($"{file}: {tensor} has {entry.End - entry.Start} bytes of {entry.Type}; {length * sizeof(float)} bytes of F32 were expected");
    }
}
