using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;

namespace Phi.Trainer.Replicas;

/// <summary>
/// A folder in a pod's memory with copies of shards: those of the pod's own ranks, and those of the pod before it. The files of a step are
/// a checkpoint's, but instead of the manifest there is a <see cref="ReplicaPart"/> beside each shard.
/// </summary>
internal sealed class ReplicaFolder : IDisposable
{
    private const string Steps = "step-";
    private readonly FolderStorage _files;

    public ReplicaFolder(string root)
    {
        _files = new FolderStorage(root);
        Store = new CheckpointStore(_files);
    }

    public CheckpointStore Store { get; }

    /// <summary>Of a file, whose name is relative to the folder.</summary>
    public string PathOf(string name) => _files.UriOf(name).LocalPath;

    public static string NameOf(long step, string file) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Steps}{step:D8}/{file}");

    /// <summary>Whether a peer may mean a file of a step by it.</summary>
    public static bool IsName(string name) => name.StartsWith(Steps, StringComparison.Ordinal) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '/');

    public void Write(string name, Action<Stream> write, CancellationToken cancellationToken) => _files.Write(name, write, cancellationToken);

    public void Read(string name, long first, Span<byte> into) => _files.Read(name, first, into);

    /// <summary>Descriptions of all shards that are here as a whole.</summary>
    public IReadOnlyList<ReplicaPart> Parts() => [.. _files.List(Steps).Where(file => file.Name.EndsWith(ReplicaPart.Suffix, StringComparison.Ordinal)).Select(file => TryRead(file.Name)).OfType<ReplicaPart>()];

    /// <summary>Removes all other steps.</summary>
    public void Keep(IReadOnlyCollection<long> steps)
    {
        var kept = steps.Select(step => NameOf(step, "")).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in _files.List(Steps).Select(file => file.Name[..(file.Name.IndexOf('/', StringComparison.Ordinal) + 1)]).Distinct().Where(folder => !kept.Contains(folder)))
        {
            _files.DeleteFolder(folder);
        }
    }

    public void Dispose() => Store.Dispose();

    /// <summary>Null if it is gone by now, or cannot be read.</summary>
    private ReplicaPart? TryRead(string name)
    {
        try
        {
            return JsonSerializer.Deserialize<ReplicaPart>(File.ReadAllBytes(PathOf(name)), PhiJson.Options);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }
}
