using System.Security.Cryptography;

namespace Phi.Checkpoints.Format;

/// <summary>Whole files in the safetensors format; see <see cref="SafetensorsHeader"/>.</summary>
public static class SafetensorsFile
{
    /// <summary>Whole elements of every type.</summary>
    private const int LargestPiece = 1 << 20;
    private static readonly Dictionary<string, string> NoMetadata = [];

    /// <summary>Writes the tensors in order; returns size and digest of the file.</summary>
    public static unsafe (long Bytes, string Sha256) Write(Stream to, IReadOnlyList<ShardTensor> tensors) =>
        Write(to, [.. tensors.Select(tensor => new StreamedTensor(tensor.Name, WeightType.F32, [tensor.Length], (first, into) => new ReadOnlySpan<byte>((byte*)tensor.Values + first, into.Length).CopyTo(into)))], NoMetadata, CancellationToken.None);

    /// <summary>Writes the tensors in order, piece by piece; returns size and digest of the file.</summary>
    public static (long Bytes, string Sha256) Write(Stream to, IReadOnlyList<StreamedTensor> tensors, IReadOnlyDictionary<string, string> metadata, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var written = 0L;
        Put(SafetensorsHeader.Write(tensors, metadata));
        var buffer = new byte[LargestPiece];
        foreach (var tensor in tensors)
        {
            for (var at = 0L; at < tensor.Bytes; at += LargestPiece)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var piece = buffer.AsSpan(0, (int)Math.Min(LargestPiece, tensor.Bytes - at));
                tensor.Read(at, piece);
                Put(piece);
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

    /// <summary>Reads every tensor into the memory of the same name and length.</summary>
    /// <exception cref="CheckpointException">A tensor is missing, has another length, or the file is cut off.</exception>
    public static unsafe void Read(Stream from, string file, IReadOnlyList<ShardTensor> into)
    {
        var header = SafetensorsHeader.Read(from, file);
        foreach (var tensor in into)
        {
            var bytes = tensor.Length * sizeof(float);
            from.Position = header.DataStart + Find(header, tensor.Name, tensor.Length, file).Start;
            for (var at = 0L; at < bytes; at += LargestPiece)
            {
                from.ReadExactly(new Span<byte>((byte*)tensor.Values + at, (int)Math.Min(LargestPiece, bytes - at)));
            }
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
