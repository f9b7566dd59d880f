using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>Does a rank's saving, one piece of work after another. On the CPU it shares its core with training, and so yields to it.</summary>
internal sealed partial class SavingThread : IDisposable
{
    private const int ThisThread = 0;

    /// <summary>About a tenth of what a thread of the usual priority gets beside it.</summary>
    private const int Niceness = 10;
    private readonly BlockingCollection<Action> _work = [];
    private readonly TimeProvider _time;

    public SavingThread(TimeProvider time)
    {
        _time = time;
        new Thread(Run) { IsBackground = true, Name = "checkpoint saver" }.Start();
    }

    public BackgroundWork<T> Start<T>(Func<T> work)
    {
        var started = new BackgroundWork<T>(work, _time);
        _work.Add(started.Run);
        return started;
    }

    /// <summary>Ends the thread after the work that it was given; does not wait for it.</summary>
    public void Dispose() => _work.CompleteAdding();

    private void Run()
    {
        // Thread.Priority does nothing on Linux, where the niceness of a thread is its own (man 2 setpriority). Without it saving is only dearer.
        if (OperatingSystem.IsLinux())
        {
            _ = SetPriority(ThisThread, 0, Niceness);
        }

        foreach (var work in _work.GetConsumingEnumerable())
        {
            work();
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
