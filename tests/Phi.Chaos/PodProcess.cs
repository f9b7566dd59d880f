using System.Globalization;
using System.Text;

namespace Phi.Chaos;

/// <summary>A process of a pod: its agent, or one of its ranks.</summary>
public sealed record PodProcess(int Id, string Pod, bool IsRank)
{
    /// <summary>Live processes of a job's pods, found by their environment in /proc.</summary>
    public static IReadOnlyList<PodProcess> Of(string jobUid)
    {
        var found = new List<PodProcess>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) || Read(folder, "environ") is not { Length: > 0 } environment || !environment.Contains($"PHI_JOB_UID={jobUid}"))
            {
                continue;
            }

            var pod = Array.Find(environment, variable => variable.StartsWith("PHI_POD_NAME=", StringComparison.Ordinal))?["PHI_POD_NAME=".Length..];
            var arguments = Read(folder, "cmdline");
            if (pod is not null && arguments.Length > 1 && arguments[^1] is "rank" or "agent")
            {
                found.Add(new PodProcess(id, pod, arguments[^1] == "rank"));
            }
        }

        return [.. found.OrderBy(process => process.Pod, StringComparer.Ordinal).ThenBy(process => process.Id)];
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
