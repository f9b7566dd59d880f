using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Stores;

/// <summary>A checkpoint as a person names it: the folder of one step, or the root that holds several.</summary>
public static class CheckpointLocation
{
    /// <summary>The step's checkpoint, or the root's newest good one; every digest of its shards is checked.</summary>
    /// <param name="onBad">Hears of each newer checkpoint below a root that is damaged.</param>
    /// <exception cref="CheckpointException">There is none, or the named one is damaged.</exception>
    public static (CheckpointStore Store, CheckpointManifest Manifest) Find(string location, Action<long, CheckpointException> onBad)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(location));
        if (!Directory.Exists(folder))
        {
            throw new CheckpointException($"'{location}' is no folder; name a checkpoint such as step-00000300, or the folder that holds checkpoints");
        }

        var name = Path.GetFileName(folder);
        if (!name.StartsWith(CheckpointStore.StepPrefix, StringComparison.Ordinal))
        {
            var root = CheckpointStore.InFolder(folder);
            return (root, root.NewestGood(onBad) ?? throw new CheckpointException($"'{location}' holds no good checkpoint; name a folder such as step-00000300, or the one that holds it"));
        }

        var step = CheckpointStore.TryParseStep(name) ?? throw new CheckpointException($"'{location}' is no checkpoint; its name would be step- and eight digits, such as step-00000300");
        var store = CheckpointStore.InFolder(Path.GetDirectoryName(folder)!);
        var manifest = store.ReadManifest(step);
        foreach (var shard in manifest.Shards)
        {
            store.VerifyShard(step, shard);
        }

        return (store, manifest);
    }
}
