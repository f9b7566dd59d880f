using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Stores;

/// <summary>A checkpoint as a person names it: one step's folder, or the root that holds several; a path, or an address as <see cref="CheckpointStorages.Open"/> takes it.</summary>
public static class CheckpointLocation
{
    /// <summary>The step's checkpoint, or the root's newest good one; every digest of its shards is checked.</summary>
    /// <param name="onBad">Hears of each newer checkpoint below a root that is damaged.</param>
    /// <exception cref="CheckpointException">There is none, or the named one is damaged.</exception>
    /// <exception cref="StorageException">The storage does not answer, or refuses access.</exception>
    public static (CheckpointStore Store, CheckpointManifest Manifest) Find(string location, Action<long, CheckpointException> onBad)
    {
        var (root, name) = Split(location);
        if (name is null)
        {
            var whole = CheckpointStore.At(root);
            return (whole, whole.NewestGood(onBad) ?? throw new CheckpointException($"'{Shown(location)}' holds no good checkpoint; name a folder such as step-00000300, or the one that holds it"));
        }

        var step = CheckpointStore.TryParseStep(name) ?? throw new CheckpointException($"'{Shown(location)}' is no checkpoint; its name would be step- and eight digits, such as step-00000300");
        var store = CheckpointStore.At(root);
        var manifest = store.ReadManifest(step);
        foreach (var shard in manifest.Shards)
        {
            store.VerifyShard(step, shard);
        }

        return (store, manifest);
    }

    /// <summary>The root, and the last name if that is of a step. A signature stays with the root.</summary>
    private static (string Root, string? Step) Split(string location)
    {
        var query = IsAddress(location) && location.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at ? location[at..] : "";
        var place = IsAddress(location) ? location[..^query.Length].TrimEnd('/') : Path.TrimEndingDirectorySeparator(Path.GetFullPath(location));
        if (!IsAddress(location) && !Directory.Exists(place))
        {
            throw new CheckpointException($"'{location}' is no folder; name a checkpoint such as step-00000300, or the folder that holds checkpoints");
        }

        var slash = place.LastIndexOf('/');
        var name = place[(slash + 1)..];
        return name.StartsWith(CheckpointStore.StepPrefix, StringComparison.Ordinal) ? ((slash == 0 ? "/" : place[..slash]) + query, name) : (place + query, null);
    }

    private static bool IsAddress(string location) => location.Contains("://", StringComparison.Ordinal);

    private static string Shown(string location) => IsAddress(location) ? location.Split('?')[0] : location;
}
