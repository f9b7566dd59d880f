using System.Globalization;

namespace Phi.LocalCluster.Nodes;

/// <summary>A pod's folder on its node: logs, and the processes that a node which crashed must end.</summary>
internal sealed class PodFolder(string root, string uid)
{
    public string Path { get; } = System.IO.Path.Combine(root, uid);

    private string MemoryPath => System.IO.Path.Combine("/dev/shm", $"phi-pod-{uid}");

    private string Processes => System.IO.Path.Combine(Path, "processes");

    public void Create() => Directory.CreateDirectory(Path);

    /// <summary>Content of a volume.</summary>
    public string Volume(string name) => System.IO.Path.Combine(Path, "volumes", name);

    /// <summary>Of a volume in memory; on the machine's own memory file system, for every container of the pod must see the same one.</summary>
    public string MemoryVolume(string name) => System.IO.Path.Combine(MemoryPath, name);

    /// <summary>Where a container's mounts are put together; empty outside its namespace.</summary>
    public string Mounts(string container) => System.IO.Path.Combine(Path, "mounts", container);

    public string Log(string container) => System.IO.Path.Combine(Path, $"{container}.log");

    /// <summary>Remembers a process and its start time.</summary>
    public void Record(int processId) =>
        File.AppendAllText(Processes, string.Create(CultureInfo.InvariantCulture, $"{processId} {Signals.StartTicks(processId) ?? 0}\n"));

    /// <summary>Everything of the pod has ended: its memory is given back, its logs stay. A pod that was never begun has no folder.</summary>
    public void Forget()
    {
        if (Directory.Exists(Path))
        {
            File.Delete(Processes);
        }

        Delete(MemoryPath);
    }

    public void Delete()
    {
        Delete(Path);
        Delete(MemoryPath);
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

            new PodFolder(root, System.IO.Path.GetFileName(folder)).Forget();
        }

        return uids;
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
