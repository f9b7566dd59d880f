using System.Globalization;
using System.Runtime.InteropServices;

namespace Phi.LocalCluster.Nodes;

/// <summary>Signals to process groups, and whether a recorded process is still the same one.</summary>
internal static partial class Signals
{
    public const int Terminate = 15;
    public const int Kill = 9;

    /// <summary>False if no process of the group is left.</summary>
    public static bool SendToGroup(int group, int signal) => group > 1 && SystemKill(-group, signal) == 0;

    public static void Send(int processId, int signal)
    {
        if (processId > 1)
        {
            SystemKill(processId, signal);
        }
    }

    /// <summary>The kernel's start time of a process in clock ticks since boot; null if it is gone. With the id it names one process for good.</summary>
    public static long? StartTicks(int processId)
    {
        try
        {
            // Field 22; the name in field 2 may hold blanks and parentheses, so counting starts after its end.
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SystemKill(int processId, int signal);
}
