using System.Globalization;
using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Stores;

/// <summary>A checkpoint as a person names it: the folder of one step, or the root that holds several.</summary>
public static class CheckpointFolder
{
    /// <summary>The step's checkpoint, or the root's newest good one; every digest of its shards is checked.</summary>
    /// <param name="onBad">Hears of each newer checkpoint below a root that is damaged.</param>
    /// <exception cref="CheckpointException">There is none, or the named one is damaged.</exception>
    public static (FolderCheckpointStore Store, CheckpointManifest Manifest) Find(string path, Action<long, CheckpointException> onBad)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(folder))
        {
            throw new CheckpointException($"'{path}' is no folder; name a checkpoint such as step-00000300, or the folder that holds checkpoints");
        }

        var name = Path.GetFileName(folder);
        if (!name.StartsWith(FolderCheckpointStore.StepPrefix, StringComparison.Ordinal))
        {
            var root = new FolderCheckpointStore(folder);
            return (root, root.NewestGood(onBad) ?? throw new CheckpointException($"'{path}' holds no good checkpoint; name a folder such as step-00000300, or the one that holds it"));
        }

        var store = new FolderCheckpointStore(Path.GetDirectoryName(folder)!);
        if (!long.TryParse(name[FolderCheckpointStore.StepPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) || store.FolderOf(step) != folder)
        {
            throw new CheckpointException($"'{path}' is no checkpoint; its name would be step- and eight digits, such as step-00000300");
        }

        var manifest = store.ReadManifest(step);
        foreach (var shard in manifest.Shards)
        {
            store.VerifyShard(step, shard);
        }

        return (store, manifest);
    }
}
