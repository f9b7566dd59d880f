using Phi.Data.Quality;
using Phi.Data.Tokenizers;

namespace Phi.Data.Preparation;

/// <summary>What to prepare, how, and where to.</summary>
public sealed record PrepareOptions
{
    public const double DefaultHeldOutFraction = 0.001;
    public const long DefaultShardTokens = 1 << 26;

    /// <summary>One window of phi-1: 2048 tokens and the target of the last.</summary>
    public const long DefaultLeastHeldOut = 2049;

    /// <summary>Absolute files, folders and globs.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>What the user calls the sources, for messages. Default data.sources.</summary>
    public string SourcesName { get; init; } = "data.sources";

    /// <summary>Folder for the prepared data: new, empty, or of an earlier run with the same options.</summary>
    public required string Output { get; init; }

    /// <summary>Default bytes.</summary>
    public TokenizerFiles Tokenizer { get; init; } = TokenizerFiles.Bytes;

    /// <summary>Field of JSON lines, or column of Parquet files. Default text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>Share of the documents that is never trained on, 0 to 0.5.</summary>
    public double HeldOutFraction { get; init; } = DefaultHeldOutFraction;

    /// <summary>Tokens, at least one window, so that the loss on them can be measured: documents that give fewer are held out in parts.</summary>
    public long LeastHeldOut { get; init; } = DefaultLeastHeldOut;

    public long ShardTokens { get; init; } = DefaultShardTokens;

    /// <summary>Which documents to leave out. Default none but exact duplicates.</summary>
    public FilterOptions Filter { get; init; } = new();

    /// <summary>Removes what an earlier run left in the folder. Default false.</summary>
    public bool Restart { get; init; }

    /// <summary>Whether to wait for another process that prepares the same folder, or to fail. Default false.</summary>
    public bool WaitForOthers { get; init; }

    /// <summary>Text that is tokenised at a time; the result does not depend on it.</summary>
    internal int BatchBytes { get; init; } = 1 << 18;
}
