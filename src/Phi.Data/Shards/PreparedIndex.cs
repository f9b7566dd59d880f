using System.Text.Json;
using Phi.Data.Sources;
using Phi.Data.Tokenizers;

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
}

/// <summary>Shards in the order of their tokens.</summary>
public sealed record SideIndex(long Tokens, IReadOnlyList<ShardIndex> Shards);

/// <summary>Sha256 in lowercase hexadecimal over the whole file.</summary>
public sealed record ShardIndex(string File, long Tokens, long Bytes, string Sha256);

/// <summary>
/// What is held out: each unit whose content's hash is below the threshold. A unit is a document, or, where documents are too few, a
/// chunk of <see cref="ChunkBytes"/> bytes of one.
/// </summary>
/// <param name="ChunkBytes">0: whole documents.</param>
public sealed record HeldOutRule(int ChunkBytes, ulong Threshold);

/// <summary>All that the tokens of a prepared folder are a function of.</summary>
public sealed record PreparedInputs
{
    /// <summary>bytes, codegen or bpe.</summary>
    public required string TokenizerKind { get; init; }
    /// <summary>See <see cref="TokenizerFiles.Digest"/>.</summary>
    public required string TokenizerDigest { get; init; }
    public required string TextField { get; init; }
    /// <summary>Share of the documents, 0 to 0.5.</summary>
    public required double HeldOutFraction { get; init; }
    /// <summary>Fewer held-out tokens than this make the rule one of chunks.</summary>
    public required long LeastHeldOut { get; init; }
    public required long ShardTokens { get; init; }
    public required IReadOnlyList<string> Sources { get; init; }
    /// <summary>In the order in which they are read.</summary>
    public required IReadOnlyList<SourceFile> Files { get; init; }

    /// <summary>What the two differ in, in words; null if in nothing.</summary>
    public string? Difference(PreparedInputs now)
    {
        var (files, known) = (now.Files.ToDictionary(file => file.Path, StringComparer.Ordinal), Files.ToDictionary(file => file.Path, StringComparer.Ordinal));
        return Compare("the tokenizer", TokenizerKind, now.TokenizerKind)
            ?? (TokenizerDigest == now.TokenizerDigest ? null : "the tokenizer's files changed")
            ?? Compare("the text field", TextField, now.TextField)
            ?? Compare("the held-out fraction", HeldOutFraction, now.HeldOutFraction)
            ?? Compare("the least number of held-out tokens", LeastHeldOut, now.LeastHeldOut)
            ?? Compare("the tokens of a shard", ShardTokens, now.ShardTokens)
            ?? First(Files, file => !files.ContainsKey(file.Path), "is no longer among the sources")
            ?? First(now.Files, file => !known.ContainsKey(file.Path), "is new among the sources")
            ?? First(now.Files, file => known[file.Path] != file, "changed");

        static string? Compare<T>(string name, T was, T now) => Equals(was, now) ? null : FormattableString.Invariant($"{name} was {was} and is {now}");

        static string? First(IEnumerable<SourceFile> among, Func<SourceFile, bool> isIt, string what) => among.FirstOrDefault(isIt) is { } file ? $"{file.Path} {what}" : null;
    }
}
