using System.Diagnostics;
using System.Globalization;

namespace Phi.Checkpoints.Stores;

/// <summary>
/// Markers of the attempts that have begun: a file for each, <c>RUN-00000003</c>, of which the newest counts. Leaving one and committing
/// exclude each other by a lock that ends with its holder, so that what an attempt finds when it begins is all that older ones commit.
/// </summary>
internal sealed class AttemptFence(string folder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(1);

    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    public void Begin(string runId, int attempt)
    {
        Directory.CreateDirectory(folder);
        _ = Pass(runId, attempt, () =>
        {
            using (var marker = File.Create(Path.Combine(folder, Prefix(runId) + attempt.ToString("D8", CultureInfo.InvariantCulture))))
            {
                marker.Flush(flushToDisk: true);
            }

            foreach (var (_, path) in Markers(runId).Where(marker => marker.Attempt < attempt))
            {
                File.Delete(path);
            }

            return true;
        });
    }

    /// <summary>Does what only the newest attempt may; a run without markers has no fence.</summary>
    /// <exception cref="SupersededException">A newer attempt of the run has begun.</exception>
    public T Pass<T>(string runId, int attempt, Func<T> work)
    {
        if (!Directory.Exists(folder))
        {
            return work();
        }

        using var held = Lock();
        var newest = Markers(runId).Select(marker => marker.Attempt).DefaultIfEmpty(-1).Max();
        return newest <= attempt ? work() : throw new SupersededException(runId, attempt, newest);
    }

    private List<(int Attempt, string Path)> Markers(string runId) =>
        [.. Directory.EnumerateFiles(folder).Where(path => Path.GetFileName(path).StartsWith(Prefix(runId), StringComparison.Ordinal))
            .Select(path => (int.TryParse(Path.GetFileName(path)[Prefix(runId).Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) ? attempt : -1, path))];

    private static string Prefix(string runId) => Uri.EscapeDataString(runId) + "-";

    private FileStream Lock()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (Stopwatch.GetElapsedTime(started) < Patience)
            {
                Thread.Sleep(RetryDelay);
            }
        }
    }
}
