using System.Globalization;
using System.Text;

namespace Phi.EndToEnd.Tests;

/// <summary>Live processes of a control plane, found by their environment and arguments in /proc.</summary>
internal static class TrainingProcesses
{
    public sealed record TrainingProcess(int Id, bool IsRank);

    /// <summary>Agents and ranks of the pods that run under this home.</summary>
    public static IReadOnlyList<TrainingProcess> Of(string home) =>
        [.. All().Where(p => p.Environment.Contains($"PHI_CHECKPOINT_ROOT={Path.Combine(home, "checkpoints")}", StringComparer.Ordinal))
            .Select(p => new TrainingProcess(p.Id, p.Arguments.Contains("rank")))];

    public static IReadOnlyList<int> WithArguments(params string[] wanted) =>
        [.. All().Where(p => wanted.All(p.Arguments.Contains)).Select(p => p.Id)];

    private static IEnumerable<(int Id, string[] Arguments, string[] Environment)> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) && Read(folder, "cmdline") is { Length: > 0 } arguments)
            {
                yield return (id, arguments, Read(folder, "environ"));
            }
        }
    }

    private static string[] Read(string folder, string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, file))).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
