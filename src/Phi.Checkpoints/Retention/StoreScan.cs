using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Retention;

/// <summary>Reads what a store holds: one listing, the markers, and each manifest once.</summary>
internal sealed class StoreScan(CheckpointStore store)
{
    /// <summary>Files of a manifest by the time at which it was written; null: it cannot be read.</summary>
    private readonly Dictionary<long, (DateTimeOffset Modified, HashSet<string>? Files)> _manifests = [];

    /// <summary>Steps in no order, and when the newest file of all was written. Folders without any file of a checkpoint are none.</summary>
    public (IReadOnlyList<StoredStep> Steps, DateTimeOffset Newest) Read()
    {
        var files = store.Storage.List(CheckpointStore.StepPrefix);
        var steps = new List<StoredStep>();
        foreach (var folder in files.GroupBy(file => file.Name.Split('/')[0]))
        {
            if (CheckpointStore.TryParseStep(folder.Key) is { } step && Read(step, [.. folder]) is { } found)
            {
                steps.Add(found);
            }
        }

        foreach (var gone in _manifests.Keys.Except(steps.Select(step => step.Step)).ToList())
        {
            _manifests.Remove(gone);
        }

        return (steps, files.Count == 0 ? default : files.Max(file => file.Modified));
    }

    /// <summary>Who pinned a step, and who uses it.</summary>
    public (CheckpointPin? Pin, IReadOnlyList<StepUse> Uses) Markers(long step) => Markers(step, store.Storage.List(CheckpointStore.Folder(step) + "/"));

    private StoredStep? Read(long step, List<StoredFile> files)
    {
        var shards = files.Where(file => StepFiles.IsShard(NameOf(file))).ToList();
        var manifest = files.Find(file => NameOf(file) == StepFiles.Manifest);
        var isSetAside = files.Exists(file => NameOf(file) == ICheckpointStorage.DamagedName(StepFiles.Manifest));
        if (manifest is null && shards.Count == 0)
        {
            // Whoever's folder that is.
            return null;
        }

        var listed = manifest is null ? null : FilesOf(step, manifest);
        var (pin, uses) = Markers(step, files);
        return new StoredStep(step, listed is not null ? StepState.Committed : manifest is not null || isSetAside ? StepState.Damaged : StepState.Uncommitted, files.Sum(file => file.Bytes), files.Max(file => file.Modified))
        {
            Pin = pin,
            Uses = uses,
            Leftovers = listed is null ? [] : [.. shards.Where(file => !listed.Contains(NameOf(file)))],
        };
    }

    private HashSet<string>? FilesOf(long step, StoredFile manifest)
    {
        if (!_manifests.TryGetValue(step, out var known) || known.Modified != manifest.Modified)
        {
            _manifests[step] = known = (manifest.Modified, Try(() => store.ReadManifest(step).Shards.SelectMany(Names).ToHashSet(StringComparer.Ordinal)));
        }

        return known.Files;

        static IEnumerable<string> Names(ShardEntry shard) => shard.Chunks is { } chunks ? [shard.File, chunks.File] : [shard.File];
    }

    private (CheckpointPin? Pin, IReadOnlyList<StepUse> Uses) Markers(long step, IReadOnlyList<StoredFile> files)
    {
        var pin = files.FirstOrDefault(file => NameOf(file) == StepFiles.Pin) is null ? null
            // A pin that cannot be read is one: whoever made it meant it.
            : Try(() => Json<CheckpointPin>(step, StepFiles.Pin)) ?? new CheckpointPin("somebody", default, null);
        var uses = files.Where(file => StepFiles.IsUse(NameOf(file))).Select(file => Try(() => Json<UseMarker>(step, NameOf(file))) is { } use ? new StepUse(use.Who, use.Purpose, file.Modified + TimeSpan.FromSeconds(use.Seconds)) : null);
        return (pin, [.. uses.OfType<StepUse>()]);
    }

    private T? Json<T>(long step, string name)
        where T : class => store.TryReadFile(step, name) is { } content ? JsonSerializer.Deserialize<T>(content, PhiJson.Options) : null;

    private static T? Try<T>(Func<T?> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CheckpointException or JsonException)
        {
            return null;
        }
    }

    private static string NameOf(StoredFile file) => file.Name[(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)..];
}
