using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Phi.Data.Shards;

/// <summary><c>index.json</c> of prepared data, written last: a folder without it is not finished.</summary>
public sealed record PreparedIndex
{
    public const string FileName = "index.json";
    public const string CurrentFormat = "phi-tokens";
    public const int CurrentVersion = 1;
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public string Format { get; init; } = CurrentFormat;
    public int Version { get; init; } = CurrentVersion;
    /// <summary>Tokens are in [0, VocabularySize).</summary>
    public required int VocabularySize { get; init; }
    /// <summary>The token after each document.</summary>
    public required int EndOfText { get; init; }
    /// <summary>16 for vocabularies of up to 65536 tokens, else 32.</summary>
    public required int TokenBits { get; init; }
    /// <summary>Without the duplicates.</summary>
    public required long Documents { get; init; }
    /// <summary>Documents that were left out because one of the same content came before.</summary>
    public required long Duplicates { get; init; }
    public required SideIndex Training { get; init; }
    public required SideIndex HeldOut { get; init; }
    public required HeldOutRule HeldOutRule { get; init; }
    public required PreparedInputs Inputs { get; init; }
    /// <summary>Documents that the filter left out; null without one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Filtered { get; init; }
    /// <summary>Of <c>report.json</c>, in lowercase hexadecimal; null in folders that earlier versions prepared, which have none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ReportSha256 { get; init; }
}

/// <summary>Shards in the order of their tokens.</summary>
public sealed record SideIndex(long Tokens, IReadOnlyList<ShardIndex> Shards)
{
    /// <summary>SHA-256 over those of the shards, in lowercase hexadecimal: the same one, the same tokens in the same shards.</summary>
    [JsonIgnore]
    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(Shards.Select(shard => shard.Sha256)))));
}

/// <summary>Sha256 in lowercase hexadecimal over the whole file.</summary>
public sealed record ShardIndex(string File, long Tokens, long Bytes, string Sha256);

/// <summary>
/// What is held out: each unit whose content's hash is below the threshold. A unit is a document, or, where documents are too few, a
/// chunk of <see cref="ChunkBytes"/> bytes of one.
/// </summary>
/// <param name="ChunkBytes">0: whole documents.</param>
public sealed record HeldOutRule(int ChunkBytes, ulong Threshold);
