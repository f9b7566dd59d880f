using Phi.Checkpoints.Format;

namespace Phi.Trainer.Replicas;

/// <summary>One shard of a step's copies, described by a file beside it that is written last: a step whose every shard is described somewhere is whole.</summary>
/// <param name="Index">Of the shard, from 0.</param>
/// <param name="Manifest">A checkpoint's, that lists this shard alone.</param>
/// <param name="History">File with rank 0's steps (<see cref="Ranks.StepHistory"/>); null beside every other rank's shard.</param>
internal sealed record ReplicaPart(int Index, CheckpointManifest Manifest, string? History)
{
    public const string Suffix = ".part.json";

    public ShardEntry Shard => Manifest.Shards[0];

    /// <summary>Its own name, beside the shard's.</summary>
    public string File => Path.ChangeExtension(Shard.File, null) + Suffix;

    /// <summary>Everything that belongs to it, itself last.</summary>
    public IEnumerable<string> Files => [.. FilesOf(Shard), .. History is null ? Array.Empty<string>() : [History], File];

    /// <summary>A shard, and the digests of its chunks.</summary>
    public static IEnumerable<string> FilesOf(ShardEntry shard) => shard.Chunks is { } chunks ? [shard.File, chunks.File] : [shard.File];
}
