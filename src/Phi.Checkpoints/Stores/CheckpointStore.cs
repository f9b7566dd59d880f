using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Retention;

namespace Phi.Checkpoints.Stores;

/// <summary>
/// Checkpoints as folders <c>step-00001200</c> below a storage's root. Shards and the files beside them come first;
/// <c>manifest.json</c> comes last and is never replaced.
/// </summary>
public sealed class CheckpointStore(ICheckpointStorage storage) : ICheckpointFiles, IDisposable
{
    internal const string StepPrefix = "step-";
    private const string ManifestName = StepFiles.Manifest;
    private const int DefaultChunkBytes = 1 << 16;
    /// <summary>Several ranges of a blob, which are read at once.</summary>
    private const int ReadBytes = 32 << 20;
    private static readonly Dictionary<string, string> NoMetadata = [];
    private StoreRetention? _retention;

    /// <summary>Of the pieces by which a part of a shard can be checked: a power of two. Default 64 KiB, which costs a digest's 32 bytes.</summary>
    internal int ChunkBytes { get; init; } = DefaultChunkBytes;

    internal ICheckpointStorage Storage => storage;

    public static CheckpointStore InFolder(string root) => new(new FolderStorage(root));

    /// <summary>A folder or a place in a blob service: <see cref="CheckpointStorages.Open"/>.</summary>
    public static CheckpointStore At(string location) => new(CheckpointStorages.Open(location));

    public Uri UriOf(long step) => storage.UriOf(Folder(step));

    /// <summary>Writes one rank's shard; nothing refers to it until <see cref="Commit"/>. The attempt is in the name, so that a stale attempt's shards cannot replace newer ones.</summary>
    public unsafe ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, IReadOnlyList<ShardTensor> tensors, CancellationToken cancellationToken = default) =>
        WriteShard(step, attempt, rank, worldSize, [.. tensors.Select(tensor => new StreamedTensor(tensor.Name, WeightType.F32, [tensor.Length], (first, into) => new ReadOnlySpan<byte>((byte*)tensor.Values + first, into.Length).CopyTo(into)))], cancellationToken);

    /// <summary>Writes one shard whose values are made while it is written, and beside it the digests of its chunks.</summary>
    public ShardEntry WriteShard(long step, int attempt, int rank, int worldSize, IReadOnlyList<StreamedTensor> tensors, CancellationToken cancellationToken)
    {
        var name = ShardName(attempt, rank, worldSize);
        var chunks = new ChunkDigester(ChunkBytes);
        var (bytes, digest) = (0L, "");
        storage.Write(NameOf(step, name + ".safetensors"), stream => (bytes, digest) = SafetensorsFile.Write(stream, tensors, NoMetadata, cancellationToken, chunks), cancellationToken);
        WriteFile(step, name + ".chunks", chunks.Digests.Span);
        return new ShardEntry(name + ".safetensors", bytes, digest) { Chunks = chunks.Describe(name + ".chunks") };
    }

    /// <summary>Removes a shard of a step that is not committed and never will be.</summary>
    public void DeleteShard(long step, int attempt, int rank, int worldSize)
    {
        var name = ShardName(attempt, rank, worldSize);
        DeleteFile(step, name + ".safetensors");
        DeleteFile(step, name + ".chunks");
    }

    /// <summary>Puts a file beside the shards, such as the tokenizer's, before <see cref="Commit"/>. One of that name is replaced.</summary>
    public void WriteFile(long step, string name, ReadOnlySpan<byte> content)
    {
        var bytes = content.ToArray();
        WriteFile(step, name, stream => stream.Write(bytes), CancellationToken.None);
    }

    internal void WriteFile(long step, string name, Action<Stream> write, CancellationToken cancellationToken) => storage.Write(NameOf(step, name), write, cancellationToken);

    /// <summary>Names of a step's files.</summary>
    internal IReadOnlyList<string> FilesOf(long step) => [.. storage.List(Folder(step) + "/").Select(file => file.Name[(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)..])];

    /// <summary>A file that was written beside the shards; null if it is not there.</summary>
    public byte[]? TryReadFile(long step, string name) => storage.Find(NameOf(step, name)) is { } file ? ReadAll(file) : null;

    /// <summary>Removes a file that was written beside the shards; nothing happens if it is not there.</summary>
    public void DeleteFile(long step, string name) => storage.Delete(NameOf(step, name));

    public void Read(long step, string file, long first, Span<byte> into) => storage.Read(NameOf(step, file), first, into);

    /// <summary>
    /// Leaves the marker of an attempt that begins: from now on no older attempt of the run commits. Call before the attempt looks for
    /// checkpoints.
    /// </summary>
    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    public void Begin(string runId, int attempt) => storage.Begin(runId, attempt);

    /// <summary>Makes the checkpoint of the manifest's step exist. False if one is committed already; that one stays.</summary>
    /// <param name="damaged">
    /// Steps of checkpoints that could not be read: they are none any more once this one is, so that they neither stand in its way nor
    /// count among those that are kept. Their manifests stay as <c>manifest.damaged.json</c>.
    /// </param>
    /// <exception cref="SupersededException">A newer attempt of the manifest's run has begun.</exception>
    public bool Commit(CheckpointManifest manifest, IReadOnlyCollection<long>? damaged = null) =>
        storage.Commit(manifest.RunId, manifest.Attempt, NameOf(manifest.Step, ManifestName), ManifestText.Write(manifest), [.. (damaged ?? []).Select(step => NameOf(step, ManifestName))]);

    /// <summary>The same with a manifest's bytes as another store has them.</summary>
    internal bool CommitCopy(CheckpointManifest manifest, ReadOnlyMemory<byte> content) => storage.Commit(manifest.RunId, manifest.Attempt, NameOf(manifest.Step, ManifestName), content, []);

    /// <summary>Steps of the committed checkpoints, newest first.</summary>
    public IReadOnlyList<long> CommittedSteps() =>
        [.. storage.List(StepPrefix).Select(file => file.Name.Split('/')).Where(parts => parts is [_, ManifestName]).Select(parts => TryParseStep(parts[0])).OfType<long>().OrderDescending()];

    /// <exception cref="CheckpointException">The manifest is missing or damaged.</exception>
    public CheckpointManifest ReadManifest(long step)
    {
        var name = NameOf(step, ManifestName);
        var place = storage.Describe(name);
        try
        {
            var content = storage.Find(name) is { } file ? ReadAll(file) : throw new CheckpointException($"{place} cannot be read: there is no such file");
            if (!ManifestText.IsAsWritten(content))
            {
                throw new CheckpointException($"{place} is damaged: its bytes are not those that were written");
            }

            // First, for of another format no more than its number is known.
            if (JsonSerializer.Deserialize<ManifestFormat>(content, PhiJson.Options) is { } other && other.Format != CheckpointManifest.CurrentFormat)
            {
                throw new CheckpointException($"{place} is of format {other.Format}, and this version reads format {CheckpointManifest.CurrentFormat}; read it with the version that wrote it, or a newer one") { IsOtherFormat = true };
            }

            var manifest = JsonSerializer.Deserialize<CheckpointManifest>(content, PhiJson.Options) ?? throw new CheckpointException($"{place} is empty");
            return manifest.Step == step && manifest.Shards.Count == manifest.WorldSize
                ? manifest
                : throw new CheckpointException($"{place} describes step {manifest.Step}, {manifest.Shards.Count} shards of {manifest.WorldSize}; step {step} and every shard were expected");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{place} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Checks every digest of a checkpoint.</summary>
    /// <param name="onRead">Hears of bytes of shards as they are read.</param>
    /// <exception cref="CheckpointException">A file is missing, has another size, or its bytes changed.</exception>
    public void Verify(CheckpointManifest manifest, Action<int>? onRead = null, CancellationToken cancellationToken = default)
    {
        foreach (var shard in manifest.Shards)
        {
            VerifyShard(manifest.Step, shard, onRead, cancellationToken);
        }
    }

    /// <summary>Checks the size and digest of one shard, and of the digests of its chunks.</summary>
    /// <exception cref="CheckpointException">A file is missing, has another size, or its bytes changed.</exception>
    public void VerifyShard(long step, ShardEntry shard, Action<int>? onRead = null, CancellationToken cancellationToken = default)
    {
        VerifyFile(step, shard.File, shard.Bytes, shard.Sha256, onRead, cancellationToken);
        if (shard.Chunks is { } chunks)
        {
            VerifyFile(step, chunks.File, (long)chunks.Count * SHA256.HashSizeInBytes, chunks.Sha256, null, cancellationToken);
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
                Verify(manifest);
                return manifest;
            }
            catch (CheckpointException e)
            {
                onBad(step, e);
            }
        }

        return null;
    }

    /// <summary>Removes what the policy does not keep. Right after a commit, whose manifest tells the storage's time.</summary>
    public void Retain(RetentionPolicy policy) => (_retention ??= new StoreRetention(this)).ApplyAfterCommit(policy);

    /// <summary>Removes a step's files. The manifest goes first, so that a half-removed checkpoint does not exist.</summary>
    public void Remove(long step)
    {
        storage.Delete(NameOf(step, ManifestName));
        storage.DeleteFolder(Folder(step));
    }

    public void Dispose() => storage.Dispose();

    internal static string Folder(long step) => string.Create(CultureInfo.InvariantCulture, $"{StepPrefix}{step:D8}");

    /// <summary>Null if that is no checkpoint's name.</summary>
    internal static long? TryParseStep(string folder) =>
        folder.StartsWith(StepPrefix, StringComparison.Ordinal) && long.TryParse(folder[StepPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) && Folder(step) == folder ? step : null;

    /// <summary>A file of the step as people name it.</summary>
    internal string Describe(long step, string file) => storage.Describe(NameOf(step, file));

    internal void VerifyFile(long step, string file, long bytes, string sha256, Action<int>? onRead, CancellationToken cancellationToken)
    {
        var name = NameOf(step, file);
        var place = storage.Describe(name);
        var found = storage.Find(name) ?? throw new CheckpointException($"{place} cannot be read: there is no such file");
        if (found.Bytes != bytes)
        {
            throw new CheckpointException($"{place} has {found.Bytes} bytes; its manifest says {bytes}");
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Min(ReadBytes, bytes)];
        for (var at = 0L; at < bytes; at += buffer.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - at));
            storage.Read(name, at, piece);
            hash.AppendData(piece);
            onRead?.Invoke(piece.Length);
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) is var digest && digest != sha256)
        {
            throw new CheckpointException($"{place} has the SHA-256 {digest}; its manifest says {sha256}");
        }
    }

    private static string ShardName(int attempt, int rank, int worldSize) => string.Create(CultureInfo.InvariantCulture, $"shard-{rank:D5}-of-{worldSize:D5}-attempt-{attempt}");

    private static string NameOf(long step, string file) => $"{Folder(step)}/{Path.GetFileName(file)}";

    private byte[] ReadAll(StoredFile file)
    {
        var content = new byte[file.Bytes];
        storage.Read(file.Name, 0, content);
        return content;
    }
}
