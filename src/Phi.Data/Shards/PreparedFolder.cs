using System.Security.Cryptography;
using System.Text.Json;
using Phi.Data.Preparation;
using Phi.Data.Quality;
using Phi.Data.Tokenizers;

namespace Phi.Data.Shards;

/// <summary>A folder that <c>phi data prepare</c> finished: its index, its tokenizer, and its tokens as mapped files.</summary>
public sealed class PreparedFolder : IDisposable
{
    private PreparedFolder(PreparedIndex index, TokenizerFiles tokenizer, TokenShards training, TokenShards heldOut) =>
        (Index, Tokenizer, Training, HeldOut) = (index, tokenizer, training, heldOut);

    public PreparedIndex Index { get; }

    public TokenizerFiles Tokenizer { get; }

    public TokenShards Training { get; }

    /// <summary>Documents, or chunks of them, that are in no training shard.</summary>
    public TokenShards HeldOut { get; }

    /// <summary>Whether the folder holds prepared data, finished or not.</summary>
    public static bool IsOne(string folder) => PrepareJournal.IsIn(folder) || TryReadIndex(folder) is not null;

    /// <summary>Maps the shards; nothing is read until it is asked for.</summary>
    /// <exception cref="DataException">The folder is not finished, of another version, or a file cannot be read or has another size than the index says.</exception>
    public static PreparedFolder Open(string folder)
    {
        var (index, tokenizer) = Check(folder);
        try
        {
            return new PreparedFolder(index, tokenizer, new TokenShards(folder, index.Training, index.TokenBits), new TokenShards(folder, index.HeldOut, index.TokenBits));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{folder} cannot be read: {e.Message} Make its shards readable to this user, or name another folder.");
        }
    }

    /// <summary>Checks the digest of every file.</summary>
    /// <returns>The index.</returns>
    /// <exception cref="DataException">A file is missing or has other bytes than the index says.</exception>
    public static async Task<PreparedIndex> VerifyAsync(string folder, CancellationToken cancellationToken)
    {
        var (index, _) = Check(folder);
        foreach (var shard in index.Training.Shards.Concat(index.HeldOut.Shards))
        {
            var path = Path.Combine(folder, shard.File);
            var digest = await DigestAsync(path, cancellationToken);
            if (digest != shard.Sha256)
            {
                throw new DataException($"{path} has the SHA-256 {digest}; the index says {shard.Sha256}. The file is damaged: {Remedy}");
            }
        }

        if (index.ReportSha256 is { } expected && Path.Combine(folder, PrepareReport.FileName) is var report && await DigestAsync(report, cancellationToken) is var found && found != expected)
        {
            throw new DataException($"{report} has the SHA-256 {found}; the index says {expected}. The file is damaged: {Remedy}");
        }

        return index;
    }

    public void Dispose()
    {
        Training.Dispose();
        HeldOut.Dispose();
    }

    /// <summary>Null for a folder that is not one of these, or not finished.</summary>
    /// <exception cref="DataException">It is of another version, or cannot be read.</exception>
    internal static PreparedIndex? TryReadIndex(string folder)
    {
        var path = Path.Combine(folder, PreparedIndex.FileName);
        try
        {
            using var stream = File.OpenRead(path);
            using var json = JsonDocument.Parse(stream);
            if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.String || !format.ValueEquals(PreparedIndex.CurrentFormat))
            {
                return null;
            }

            return json.RootElement.TryGetProperty("version", out var version) && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == PreparedIndex.CurrentVersion
                ? json.Deserialize<PreparedIndex>(PreparedIndex.Json)
                : throw new DataException($"{path} is of version {version}; this version of the program reads {PreparedIndex.CurrentVersion}. {Remedy}");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Make it readable to this user, or name another folder.");
        }
    }

    private static async Task<string> DigestAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Make it readable to this user, or {Remedy}");
        }
    }

    private const string Remedy = "prepare the data again with phi data prepare --restart.";

    private static (PreparedIndex Index, TokenizerFiles Tokenizer) Check(string folder)
    {
        var index = TryReadIndex(folder) ?? throw new DataException(IsOne(folder)
            ? $"{folder} is not finished. Run the same phi data prepare again; it continues where it was."
            : $"{folder} holds no prepared data. Make it with phi data prepare.");
        foreach (var shard in index.Training.Shards.Concat(index.HeldOut.Shards))
        {
            var file = new FileInfo(Path.Combine(folder, shard.File));
            if (!file.Exists || file.Length != shard.Bytes || shard.Bytes != shard.Tokens * index.TokenBits / 8)
            {
                throw new DataException($"{file.FullName} {(file.Exists ? $"has {file.Length} bytes" : "is missing")}; the index says {shard.Bytes} bytes of {shard.Tokens} tokens. Copy the folder whole, or {Remedy}");
            }
        }

        var tokenizer = TokenizerFiles.Read(folder);
        return tokenizer.Digest == index.Inputs.TokenizerDigest
            ? (index, tokenizer)
            : throw new DataException($"{folder} has the files of another tokenizer ({tokenizer.Kind}) than it was prepared with ({index.Inputs.TokenizerKind}). Restore them, or {Remedy}");
    }
}
