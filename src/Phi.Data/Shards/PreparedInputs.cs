using System.Text.Json.Serialization;
using Phi.Data.Sources;
using Phi.Data.Tokenizers;

namespace Phi.Data.Shards;

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
    /// <summary>Which documents were left out; null: none but duplicates.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PreparedFilter? Filter { get; init; }
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
            ?? PreparedFilter.Difference(Filter, now.Filter)
            ?? First(Files, file => !files.ContainsKey(file.Path), "is no longer among the sources")
            ?? First(now.Files, file => !known.ContainsKey(file.Path), "is new among the sources")
            ?? First(now.Files, file => known[file.Path] != file, "changed");

        static string? Compare<T>(string name, T was, T now) => Equals(was, now) ? null : FormattableString.Invariant($"{name} was {was} and is {now}");

        static string? First(IEnumerable<SourceFile> among, Func<SourceFile, bool> isIt, string what) => among.FirstOrDefault(isIt) is { } file ? $"{file.Path} {what}" : null;
    }
}
