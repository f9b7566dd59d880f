using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Phi.Api.Metadata;

namespace Phi.Checkpoints.Format;

/// <summary>
/// A manifest's bytes, which end with a digest of their own: <c>…,"sha256":"HEX"}</c>, of what the text is without that property. So a
/// changed byte that still reads as a manifest, of another model say, is known for what it is.
/// </summary>
internal static class ManifestText
{
    private const int HexLength = 2 * SHA256.HashSizeInBytes;
    private static readonly byte[] Property = Encoding.ASCII.GetBytes(",\"sha256\":\"");
    private static readonly byte[] End = Encoding.ASCII.GetBytes("\"}");

    public static byte[] Write(CheckpointManifest manifest)
    {
        var bare = JsonSerializer.SerializeToUtf8Bytes(manifest, PhiJson.Options);
        return [.. bare[..^1], .. Property, .. Digest(bare), .. End];
    }

    /// <summary>Whether the digest is right. Manifests of older versions have none.</summary>
    public static bool IsAsWritten(byte[] content)
    {
        var at = content.Length - (Property.Length + HexLength + End.Length);
        return at < 1 || !content.AsSpan(at).StartsWith(Property) || content.AsSpan(at + Property.Length, HexLength).SequenceEqual(Digest([.. content[..at], (byte)'}']));
    }

    private static byte[] Digest(byte[] bare) => Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(bare)));
}
