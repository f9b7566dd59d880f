using System.Security.Cryptography;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.HuggingFace;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Transfer;

/// <summary>
/// Copies a checkpoint to another store: its shards, checked as they are read, and what lies beside them; the manifest last. What an
/// interrupted copy left is checked and kept.
/// </summary>
public static class CheckpointCopy
{
    private const int PieceBytes = 4 << 20;

    /// <exception cref="CheckpointException">A file is damaged, or the target has another checkpoint of that step.</exception>
    public static CopySummary Write(CheckpointStore from, CheckpointManifest manifest, CheckpointStore to, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var step = manifest.Step;
        var content = from.TryReadFile(step, StepFiles.Manifest) ?? throw new CheckpointException($"{StorageNames.Describe(from.UriOf(step))} has no manifest any more: it was removed meanwhile");
        var target = StorageNames.Describe(to.UriOf(step));
        var shards = manifest.Shards.SelectMany(Files).ToList();
        var total = shards.Sum(shard => shard.Bytes);
        if (to.TryReadFile(step, StepFiles.Manifest) is { } there)
        {
            return there.AsSpan().SequenceEqual(content) ? new CopySummary(StorageNames.Describe(from.UriOf(step)), target, step, 0, total, 0) : throw Taken(target);
        }

        var (done, copied) = (0L, 0L);
        foreach (var (name, bytes, sha256) in shards)
        {
            if (!Has(to, step, name, bytes, sha256, cancellationToken))
            {
                Copy(from, to, step, (name, bytes, sha256), count => progress?.Report(new TransferProgress(done + count, total)), cancellationToken);
                copied += bytes;
            }

            progress?.Report(new TransferProgress(done += bytes, total));
        }

        var others = from.FilesOf(step).Where(name => !StepFiles.IsMarker(name) && !StepFiles.IsShard(name)).ToList();
        others.ForEach(name => to.WriteFile(step, name, from.TryReadFile(step, name)));
        return to.CommitCopy(manifest, content) ? new CopySummary(StorageNames.Describe(from.UriOf(step)), target, step, shards.Count + others.Count + 1, total, copied) : throw Taken(target);
    }

    private static IEnumerable<(string Name, long Bytes, string Sha256)> Files(ShardEntry shard)
    {
        if (shard.Chunks is { } chunks)
        {
            yield return (chunks.File, (long)chunks.Count * SHA256.HashSizeInBytes, chunks.Sha256);
        }

        yield return (shard.File, shard.Bytes, shard.Sha256);
    }

    private static bool Has(CheckpointStore to, long step, string name, long bytes, string sha256, CancellationToken cancellationToken)
    {
        try
        {
            to.VerifyFile(step, name, bytes, sha256, null, cancellationToken);
            return true;
        }
        catch (CheckpointException)
        {
            // Not there, or not whole: it is written anew.
            return false;
        }
    }

    private static void Copy(CheckpointStore from, CheckpointStore to, long step, (string Name, long Bytes, string Sha256) file, Action<long> onCopied, CancellationToken cancellationToken) => to.WriteFile(step, file.Name, stream =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Math.Min(PieceBytes, file.Bytes)];
        for (var at = 0L; at < file.Bytes; at += buffer.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Bytes - at));
            from.Read(step, file.Name, at, piece);
            hash.AppendData(piece);
            stream.Write(piece);
            onCopied(at + piece.Length);
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) is var digest && digest != file.Sha256)
        {
            throw new CheckpointException($"{from.Describe(step, file.Name)} has the SHA-256 {digest}; its manifest says {file.Sha256}");
        }
    }, cancellationToken);

    private static CheckpointException Taken(string target) => new($"{target} is another checkpoint, and is not replaced; name another place with --to, or remove that checkpoint first");
}
