using Phi.Checkpoints.Format;

namespace Phi.Checkpoints.Stores;

/// <summary>A checkpoint as a person names it: the folder or address of one step, or of the root that holds several.</summary>
public static class CheckpointLocation
{
    /// <summary>The storage at a root.</summary>
    public static ICheckpointStorage Open(string root) => CheckpointStorages.Open(root);

    /// <summary>The root, and the step if the location names one.</summary>
    /// <exception cref="CheckpointException">It is a folder that is not there, or its name is almost a step's.</exception>
    public static (string Root, long? Step) Parse(string location)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(location);
        // A signature belongs to the root.
        var (path, query) = IsAddress(location) && location.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at ? (location[..at], location[at..]) : (location, "");
        path = IsAddress(location) ? path.TrimEnd('/') : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var isFile = !IsAddress(location) || path.StartsWith("file://", StringComparison.OrdinalIgnoreCase);
        if (isFile && !Directory.Exists(IsAddress(path) ? new Uri(path).LocalPath : path))
        {
            throw new CheckpointException($"'{location}' is no folder; name a checkpoint such as step-00000300, or the folder that holds checkpoints");
        }

        var name = path[(path.LastIndexOf('/') + 1)..];
        if (!name.StartsWith(CheckpointStore.StepPrefix, StringComparison.Ordinal))
        {
            return (path + query, null);
        }

        var step = CheckpointStore.TryParseStep(name) ?? throw new CheckpointException($"'{Shown(location)}' is no checkpoint; its name would be step- and eight digits, such as step-00000300");
        return (path[..^(name.Length + 1)] is { Length: > 0 } root ? root + query : "/", step);
    }

    /// <summary>The step's checkpoint, or the root's newest good one; every digest of its shards is checked.</summary>
    /// <param name="onBad">Hears of each newer checkpoint below a root that is damaged.</param>
    /// <exception cref="CheckpointException">There is none, or the named one is damaged.</exception>
    public static (CheckpointStore Store, CheckpointManifest Manifest) Find(string location, Action<long, CheckpointException> onBad)
    {
        var (root, step) = Parse(location);
        var store = new CheckpointStore(Open(root));
        if (step is null)
        {
            return (store, store.NewestGood(onBad) ?? throw new CheckpointException($"'{Shown(location)}' holds no good checkpoint; name a folder such as step-00000300, or the one that holds it"));
        }

        var manifest = store.ReadManifest(step.Value);
        store.Verify(manifest);
        return (store, manifest);
    }

    /// <summary>Without a signature.</summary>
    private static string Shown(string location) => IsAddress(location) ? location.Split('?')[0] : location;

    private static bool IsAddress(string location) => location.Contains("://", StringComparison.Ordinal);
}
