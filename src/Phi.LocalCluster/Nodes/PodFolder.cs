using System.Globalization;

namespace Phi.LocalCluster.Nodes;

/// <summary>A pod's folder on its node: logs, and the processes that a node which crashed must end.</summary>
internal sealed class PodFolder(string root, string uid)
{
    public string Path { get; } = System.IO.Path.Combine(root, uid);

    private string Processes => System.IO.Path.Combine(Path, "processes");

    public void Create() => Directory.CreateDirectory(Path);

    public string Log(string container) => System.IO.Path.Combine(Path, $"{container}.log");

    /// <summary>Remembers a process and its start time.</summary>
    public void Record(int processId) =>
        File.AppendAllText(Processes, string.Create(CultureInfo.InvariantCulture, $"{processId} {Signals.StartTicks(processId) ?? 0}\n"));

    /// <summary>Everything of the pod has ended.</summary>
    public void Forget() => File.Delete(Processes);

    public void Delete()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }

    /// <summary>Kills what an earlier node agent left running of any pod; the uids of these pods.</summary>
    public static IReadOnlySet<string> EndStrays(string root)
    {
        var uids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var folder in Directory.Exists(root) ? Directory.EnumerateDirectories(root) : [])
        {
            var processes = System.IO.Path.Combine(folder, "processes");
            if (!File.Exists(processes))
            {
                continue;
            }

            uids.Add(System.IO.Path.GetFileName(folder));
            foreach (var line in File.ReadAllLines(processes))
            {
                if (line.Split(' ') is [var id, var ticks] && int.TryParse(id, CultureInfo.InvariantCulture, out var processId)
                    && (Signals.StartTicks(processId) is not { } started || started.ToString(CultureInfo.InvariantCulture) == ticks))
                {
                    // The leader may be gone while its group lives on; a group's id is not given anew before the group is empty.
                    Signals.SendToGroup(processId, Signals.Kill);
                }
            }

            File.Delete(processes);
        }

        return uids;
    }
}
