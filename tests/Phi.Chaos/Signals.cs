using System.Runtime.InteropServices;

namespace Phi.Chaos;

/// <summary>Signals to processes.</summary>
internal static partial class Signals
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>A process that is gone already is no error.</summary>
    public static void Send(int process, int signal)
    {
        if (process > 1)
        {
            SystemKill(process, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SystemKill(int process, int signal);
}
