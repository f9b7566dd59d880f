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
public sealed class FolderCheckpointStore(string root) : ICheckpointFiles
{
    private const string ManifestName = "manifest.json";
    private const int DefaultChunkBytes = 1 << 16;
    internal const string StepPrefix = "step-";
    private static readonly Dictionary<string, string> NoMetadata = [];
    private readonly AttemptFence _fence = new(Path.Combine(root, "attempts"));

    /// <summary>Of the pieces by which a part of a shard can be checked: a power of two. Default 64 KiB, which costs a digest's 32 bytes.</summary>
    internal int ChunkBytes { get; init; } = DefaultChunkBytes;

    public string FolderOf(long step) => Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"{StepPrefix}{step:D8}"));

    /// <summary>Writes one rank's shard; nothing refers to it until <see cref="Commit"/>. The attempt is in the name, so that a stale attempt's shards cannot replace newer ones.</summary>
    public unsafe ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, IReadOnlyList<ShardTensor> tensors) =>
        WriteShard(step, attempt, rank, worldSize, [.. tensors.Select(tensor => new StreamedTensor(tensor.Name, WeightType.F32, [tensor.Length], (first, into) => new ReadOnlySpan<byte>((byte*)tensor.Values + first, into.Length).CopyTo(into)))], CancellationToken.None);

    /// <summary>Writes one shard whose values are made while it is written, and beside it the digests of its chunks.</summary>
    public ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, IReadOnlyList<StreamedTensor> tensors, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"shard-{rank:D5}-of-{worldSize:D5}-attempt-{attempt}");
        var chunks = new ChunkDigester(ChunkBytes);
        var (bytes, digest) = (0L, "");
        Put(step, name + ".safetensors", stream => (bytes, digest) = SafetensorsFile.Write(stream, tensors, NoMetadata, cancellationToken, chunks));
        WriteFile(step, name + ".chunks", chunks.Digests.Span);
        return new ShardEntry(name + ".safetensors", bytes, digest) { Chunks = chunks.Describe(name + ".chunks") };
    }

    /// <summary>Puts a file beside the shards, such as the tokenizer's, before <see cref="Commit"/>. One of that name is replaced.</summary>
    public void WriteFile(long step, string name, ReadOnlySpan<byte> content)
    {
        var bytes = content.ToArray();
        Put(step, name, stream => stream.Write(bytes));
    }

    /// <summary>A file that was written beside the shards; null if it is not there or cannot be read: nothing depends on it.</summary>
    public byte[]? TryReadFile(long step, string name)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(FolderOf(step), name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Read(long step, string file, long first, Span<byte> into)
    {
        var path = PathOf(step, file);
        try
        {
            using var handle = File.OpenHandle(path);
            for (int count, at = 0; at < into.Length; at += count)
            {
                count = RandomAccess.Read(handle, into[at..], first + at);
                if (count == 0)
                {
                    throw new CheckpointException($"{path} is cut off: it ends at byte {first + at}; {first + into.Length} were expected");
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>
    /// Leaves the marker of an attempt that begins: from now on no older attempt of the run commits. Call before the attempt looks for
    /// checkpoints.
    /// </summary>
    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    public void Begin(string runId, int attempt) => _fence.Begin(runId, attempt);

    /// <summary>Makes the checkpoint of the manifest's step exist. False if one is committed already; that one stays.</summary>
    /// <param name="damaged">
    /// Steps of checkpoints that could not be read: they are none any more once this one is, so that they neither stand in its way nor
    /// count among those that are kept. Their manifests stay as <c>manifest.damaged.json</c>.
    /// </param>
    /// <exception cref="SupersededException">A newer attempt of the manifest's run has begun.</exception>
    public bool Commit(CheckpointManifest manifest, IReadOnlyCollection<long>? damaged = null) => _fence.Pass(manifest.RunId, manifest.Attempt, () =>
    {
        SetAside(damaged?.Where(step => step == manifest.Step));
        var isNew = Publish(manifest);
        SetAside(damaged?.Where(step => step != manifest.Step));
        return isNew;
    });

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

    private void SetAside(IEnumerable<long>? steps)
    {
        foreach (var path in (steps ?? []).Select(step => PathOf(step, ManifestName)).Where(File.Exists))
        {
            File.Move(path, Path.ChangeExtension(path, ".damaged.json"), overwrite: true);
        }
    }

    private bool Publish(CheckpointManifest manifest)
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

    private void Put(long step, string name, Action<Stream> write)
    {
        Directory.CreateDirectory(FolderOf(step));
        var path = Path.Combine(FolderOf(step), name);
        var temporary = path + ".tmp";
        using (var stream = File.Create(temporary))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private string PathOf(long step, string file) => Path.Combine(FolderOf(step), Path.GetFileName(file));

    internal FileStream OpenShard(long step, ShardEntry shard, out string path)
    {
        path = PathOf(step, shard.File);
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
