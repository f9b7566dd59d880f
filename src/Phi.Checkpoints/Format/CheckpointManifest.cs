namespace Phi.Checkpoints.Format;

/// <summary>What a committed checkpoint holds: <c>manifest.json</c>, written last. No manifest, no checkpoint.</summary>
public sealed record CheckpointManifest
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;
    /// <summary>Steps done. The data cursor is the step too: the order of samples is a function of seed and step.</summary>
    public required long Step { get; init; }
    public required string RunId { get; init; }
    public required int Attempt { get; init; }
    public required long Seed { get; init; }
    /// <summary>Shards: the ranks that wrote it, or 1 where nothing was sharded.</summary>
    public required int WorldSize { get; init; }
    public required DateTimeOffset Time { get; init; }
    /// <summary>Digest of the tokens trained on (SHA-256 over those of their shards, in lowercase hexadecimal); null for an imported model.</summary>
    public string? Data { get; init; }
    /// <summary>The model's dimensions by name, such as hiddenSize: what a reader needs to build it.</summary>
    public IReadOnlyDictionary<string, int> Model { get; init; } = new Dictionary<string, int>();
    /// <summary>Regions of the units in order: their matrices, and their vectors. Each shard file holds an equal part of each, padded at the end.</summary>
    public required IReadOnlyList<UnitEntry> Units { get; init; }
    /// <summary>In the order of the parts that they hold.</summary>
    public required IReadOnlyList<ShardEntry> Shards { get; init; }
}

/// <summary>What a manifest of any format begins with; without a number it is the first.</summary>
internal sealed record ManifestFormat(int Format = 1);

/// <summary>Length and shard length in elements.</summary>
public sealed record UnitEntry(string Name, long Length, long ShardLength, IReadOnlyList<TensorEntry> Tensors);

/// <summary>Offset in elements from the unit's start.</summary>
public sealed record TensorEntry(string Name, IReadOnlyList<long> Shape, long Offset);

/// <summary>Sha256 in lowercase hexadecimal over the whole file.</summary>
public sealed record ShardEntry(string File, long Bytes, string Sha256)
{
    /// <summary>By which a part of the file can be checked; null in checkpoints of versions that read whole files alone.</summary>
    public ChunkDigests? Chunks { get; init; }
}

/// <summary>
/// <paramref name="File"/> holds <paramref name="Count"/> SHA-256 digests of 32 bytes each: of the shard's header, then of each chunk of each
/// tensor in the order of the data. Chunks begin anew at every tensor. Sha256, in lowercase hexadecimal, is over all of them.
/// </summary>
/// <param name="HeaderBytes">From the shard's start to its data.</param>
/// <param name="ChunkBytes">Of every chunk but a tensor's last.</param>
public sealed record ChunkDigests(string File, int Count, int HeaderBytes, int ChunkBytes, string Sha256);
