using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Phi.Trainer.Agent.Evaluating;

/// <summary>Starts processes that get the processor when nobody else wants it.</summary>
internal static partial class LowPriority
{
    private const int OfProcess = 0;
    private const int Lowest = 19;

    /// <summary>A thread's priority is its own in Linux, and that of the processes that it starts: so a thread of its own takes the lowest, and starts it.</summary>
    public static Process Start(ProcessStartInfo info)
    {
        Process? process = null;
        Exception? problem = null;
        var thread = new Thread(() =>
        {
            _ = SetPriority(OfProcess, 0, Lowest);
            try
            {
                process = Process.Start(info);
            }
            catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
            {
                problem = e;
            }
        });
        thread.Start();
        thread.Join();
        return process ?? throw new IOException($"{info.FileName} cannot be started: {problem?.Message}", problem);
    }

    [LibraryImport("libc", EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, int who, int priority);
}
