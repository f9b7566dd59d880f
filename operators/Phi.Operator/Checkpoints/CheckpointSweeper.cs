using Microsoft.Extensions.Logging;
using Phi.Checkpoints;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;

namespace Phi.Operator.Checkpoints;

/// <summary>
/// Removes what the last attempts of jobs that run no more never committed: rank 0 does that for a job while it runs. Only folders below one
/// root that attempts have left their marks in, and only after the usual grace.
/// </summary>
/// <param name="busy">Folders of the jobs that run, or may any moment.</param>
internal sealed partial class CheckpointSweeper(string root, Func<IReadOnlyCollection<string>> busy, ILogger logger)
{
    private const string Attempts = "attempts";

    /// <summary>Of a store below the root: NAMESPACE/NAME-UID8, or what a job names.</summary>
    private const int DeepestStore = 6;

    public void Sweep(CancellationToken cancellationToken)
    {
        var taken = busy().Select(Normal).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in Stores(new DirectoryInfo(root), DeepestStore).Where(folder => !taken.Contains(Normal(folder))))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                using var store = CheckpointStore.InFolder(folder);
                foreach (var removed in new StoreRetention(store).RemoveOrphans(new RetentionPolicy { KeepLast = 1 }.OrphanGrace).Where(decision => decision.IsRemoved))
                {
                    LogRemoved(logger, removed.Step, folder, removed.Bytes, removed.Message);
                }
            }
            catch (Exception e) when (e is StorageException or CheckpointException)
            {
                LogFailed(logger, folder, e.Message);
            }
        }
    }

    private static IEnumerable<string> Stores(DirectoryInfo folder, int depth)
    {
        if (!folder.Exists)
        {
            return [];
        }

        var children = folder.EnumerateDirectories("*", new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint }).ToList();
        return children.Exists(child => child.Name == Attempts) ? [folder.FullName] : depth == 0 ? [] : children.SelectMany(child => Stores(child, depth - 1));
    }

    private static string Normal(string folder) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));

    [LoggerMessage(1, LogLevel.Information, "removed step {Step} of {Folder} ({Bytes} bytes): {Why}")]
    private static partial void LogRemoved(ILogger logger, long step, string folder, long bytes, string why);

    [LoggerMessage(2, LogLevel.Warning, "{Folder} could not be swept and is tried again: {Problem}")]
    private static partial void LogFailed(ILogger logger, string folder, string problem);
}
