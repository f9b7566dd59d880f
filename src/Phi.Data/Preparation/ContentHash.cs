using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Phi.Data.Preparation;

/// <summary>SHA-256 of a content after a fixed seed. It says which documents are the same, and which are held out, wherever they stand.</summary>
/// <param name="Identity">128 of its bits.</param>
/// <param name="Place">64 others, uniform: held out below the rule's threshold.</param>
internal readonly record struct ContentHash(UInt128 Identity, ulong Place)
{
    private static ReadOnlySpan<byte> Seed => "phi held-out 1\n"u8;

    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Seed);
        hash.AppendData(content);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return new ContentHash(BinaryPrimitives.ReadUInt128LittleEndian(digest), BinaryPrimitives.ReadUInt64LittleEndian(digest[16..]));
    }
}
