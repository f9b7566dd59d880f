using System.Net;

namespace Phi.Checkpoints.Stores.Blobs;

/// <summary>Where in a blob service checkpoints lie.</summary>
/// <param name="Service">Address of the account's blob service, without a signature.</param>
/// <param name="Prefix">Names of blobs begin so, without a slash at either end; may be empty.</param>
public sealed record BlobLocation(Uri Service, string Account, string Container, string Prefix)
{
    /// <summary>Shared access signature, without the question mark. Null: another credential.</summary>
    internal string? Signature { get; init; }

    /// <summary>The container's address, without a signature.</summary>
    internal Uri Address => new($"{Service.AbsoluteUri.TrimEnd('/')}/{Container}");

    /// <summary>
    /// Reads <c>https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX?SIGNATURE</c>, of any cloud, or
    /// <c>http://127.0.0.1:10000/ACCOUNT/CONTAINER/PREFIX</c>, where the account is in the path.
    /// </summary>
    /// <exception cref="CheckpointException">It is neither.</exception>
    public static BlobLocation Parse(Uri address)
    {
        var shown = address.GetLeftPart(UriPartial.Path);
        var parts = address.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        var isPathStyle = IPAddress.TryParse(address.Host.Trim('[', ']'), out _) || !address.Host.Contains('.', StringComparison.Ordinal);
        var isHttp = address.Scheme == Uri.UriSchemeHttp;
        if ((!isHttp && address.Scheme != Uri.UriSchemeHttps) || parts.Length < (isPathStyle ? 2 : 1) || address.UserInfo.Length > 0)
        {
            throw new CheckpointException($"'{shown}' is no place in a blob service; write https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, or http://127.0.0.1:10000/ACCOUNT/CONTAINER/PREFIX for an emulator");
        }

        var authority = address.GetLeftPart(UriPartial.Authority);
        var rest = parts.Skip(isPathStyle ? 2 : 1).ToArray();
        if (rest.Any(part => part is "." or ".."))
        {
            throw new CheckpointException($"'{shown}' has '.' or '..' in its path; write the names alone");
        }

        return new BlobLocation(new Uri(isPathStyle ? $"{authority}/{parts[0]}" : authority), isPathStyle ? parts[0] : address.Host.Split('.')[0], parts[isPathStyle ? 1 : 0], string.Join('/', rest))
        {
            Signature = address.Query.TrimStart('?') is { Length: > 0 } signature ? signature : null,
        };
    }

    /// <summary>The place itself; a signature is never part of it.</summary>
    public override string ToString() => Prefix.Length == 0 ? Address.AbsoluteUri : $"{Address.AbsoluteUri}/{Prefix}";
}
