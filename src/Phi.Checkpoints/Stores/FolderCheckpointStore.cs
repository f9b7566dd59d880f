using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Stores;

/// <summary>
/// Checkpoints as folders <c>step-00001200</c> below one root that every rank sees. Each file is written under a temporary name,
/// flushed to the disk and renamed; <c>manifest.json</c> comes last and is never replaced.
/// </summary>
public sealed class FolderCheckpointStore(string root)
{
    private const string ManifestName = "manifest.json";
    internal const string StepPrefix = "step-";

    public string FolderOf(long step) => Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"{StepPrefix}{step:D8}"));

    /// <summary>Writes one rank's shard; nothing refers to it until <see cref="Commit"/>. The attempt is in the name, so that a stale attempt's shards cannot replace newer ones.</summary>
    public ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, IReadOnlyList<ShardTensor> tensors) =>
        WriteShard(step, attempt, rank, worldSize, stream => SafetensorsFile.Write(stream, tensors));

    /// <summary>Writes one shard whose values are made while it is written.</summary>
    public ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, IReadOnlyList<StreamedTensor> tensors, CancellationToken cancellationToken) =>
        WriteShard(step, attempt, rank, worldSize, stream => SafetensorsFile.Write(stream, tensors, new Dictionary<string, string>(), cancellationToken));

    /// <summary>Puts a file beside the shards, such as the tokenizer's, before <see cref="Commit"/>. One of that name is replaced.</summary>
    public void WriteFile(long step, string name, ReadOnlySpan<byte> content)
    {
        var folder = FolderOf(step);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name);
        var temporary = path + ".tmp";
        using (var stream = File.Create(temporary))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Makes the checkpoint of the manifest's step exist. False if one is committed already; that one stays.</summary>
    public bool Commit(CheckpointManifest manifest)
    {
        var folder = FolderOf(manifest.Step);
        var temporary = Path.Combine(folder, $"{ManifestName}.{manifest.Attempt}.tmp");
        using (var stream = File.Create(temporary))
        {
            JsonSerializer.Serialize(stream, manifest, PhiJson.Options);
            stream.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(temporary, Path.Combine(folder, ManifestName), overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(Path.Combine(folder, ManifestName)))
        {
            File.Delete(temporary);
            return false;
        }
    }

    /// <summary>Steps of the committed checkpoints, newest first.</summary>
    public IReadOnlyList<long> CommittedSteps() =>
        !Directory.Exists(root)
            ? []
            : [.. Directory.EnumerateDirectories(root, StepPrefix + "*").Where(folder => File.Exists(Path.Combine(folder, ManifestName)))
                .Select(folder => long.TryParse(Path.GetFileName(folder)[StepPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1)
                .Where(step => step >= 0).OrderDescending()];

    /// <exception cref="CheckpointException">The manifest is missing or damaged.</exception>
    public CheckpointManifest ReadManifest(long step)
    {
        var path = Path.Combine(FolderOf(step), ManifestName);
        try
        {
            var manifest = JsonSerializer.Deserialize<CheckpointManifest>(File.ReadAllBytes(path), PhiJson.Options) ?? throw new CheckpointException($"{path} is empty");
            return manifest.Format == CheckpointManifest.CurrentFormat && manifest.Step == step && manifest.Shards.Count == manifest.WorldSize
                ? manifest
                : throw new CheckpointException($"{path} describes format {manifest.Format}, step {manifest.Step}, {manifest.Shards.Count} shards of {manifest.WorldSize}; format {CheckpointManifest.CurrentFormat}, step {step} and every shard were expected");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Checks the size and digest of one shard.</summary>
    /// <exception cref="CheckpointException">The shard is missing, has another size, or its bytes changed.</exception>
    public void VerifyShard(long step, ShardEntry shard)
    {
        using var stream = OpenShard(step, shard, out var path);
        if (stream.Length != shard.Bytes)
        {
            throw new CheckpointException($"{path} has {stream.Length} bytes; its manifest says {shard.Bytes}");
        }

        var digest = Convert.ToHexStringLower(SHA256.HashData(stream));
        if (digest != shard.Sha256)
        {
            throw new CheckpointException($"{path} has the SHA-256 {digest}; its manifest says {shard.Sha256}");
        }
    }

    /// <summary>Verifies one shard, then reads it into the given memory.</summary>
    public void ReadShard(long step, ShardEntry shard, IReadOnlyList<ShardTensor> into)
    {
        VerifyShard(step, shard);
        using var stream = OpenShard(step, shard, out var path);
        SafetensorsFile.Read(stream, path, into);
    }

    /// <summary>
    /// The newest committed checkpoint whose every byte is as its manifest says; null if there is none.
    /// <paramref name="onBad"/> hears of each newer one that is not.
    /// </summary>
    public CheckpointManifest? NewestGood(Action<long, CheckpointException> onBad)
    {
        foreach (var step in CommittedSteps())
        {
            try
            {
                var manifest = ReadManifest(step);
                foreach (var shard in manifest.Shards)
                {
                    VerifyShard(step, shard);
                }

                return manifest;
            }
            catch (CheckpointException e)
            {
                onBad(step, e);
            }
        }

        return null;
    }

    /// <summary>Removes all but the newest committed checkpoints. The manifest goes first, so that a half-removed one does not exist.</summary>
    public void Retain(int keepLast)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keepLast, 1);
        foreach (var step in CommittedSteps().Skip(keepLast))
        {
            File.Delete(Path.Combine(FolderOf(step), ManifestName));
            Directory.Delete(FolderOf(step), recursive: true);
        }
    }

    private ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, Func<Stream, (long Bytes, string Sha256)> write)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"shard-{rank:D5}-of-{worldSize:D5}-attempt-{attempt}.safetensors");
        var folder = FolderOf(step);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name);
        var temporary = path + ".tmp";
        long bytes;
        string digest;
        using (var stream = File.Create(temporary))
        {
            (bytes, digest) = write(stream);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
        return new ShardEntry(name, bytes, digest);
    }

    internal FileStream OpenShard(long step, ShardEntry shard, out string path)
    {
        path = Path.Combine(FolderOf(step), Path.GetFileName(shard.File));
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path} cannot be read: {e.Message}", e);
        }
    }
}
