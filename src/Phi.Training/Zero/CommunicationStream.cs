using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;

namespace Phi.Training.Zero;

/// <summary>
/// Does communication in order on a thread of its own, behind the compute: what a stream is on a GPU. Without one, work is done at once
/// by the caller.
/// </summary>
internal sealed class CommunicationStream : IDisposable
{
    private readonly BlockingCollection<Work>? _queue;
    private readonly Thread? _thread;
    private long _busyTicks;
    private long _exposedTicks;

    public CommunicationStream(bool isConcurrent)
    {
        if (isConcurrent)
        {
            _queue = [];
            _thread = new Thread(Run) { IsBackground = true, Name = "communication" };
            _thread.Start();
        }
    }

    /// <summary>Time spent communicating.</summary>
    public TimeSpan Busy => Stopwatch.GetElapsedTime(0, Volatile.Read(ref _busyTicks));

    /// <summary>Time that the compute waited for it.</summary>
    public TimeSpan Exposed => Stopwatch.GetElapsedTime(0, _exposedTicks);

    public Work Start(Action action)
    {
        var work = new Work(action);
        if (_queue is null)
        {
            var started = Stopwatch.GetTimestamp();
            Execute(work);
            _exposedTicks += Stopwatch.GetTimestamp() - started;
        }
        else
        {
            _queue.Add(work);
        }

        return work;
    }

    /// <summary>Returns when the work is done; throws what it threw.</summary>
    public void Wait(Work? work)
    {
        if (work is null)
        {
            return;
        }

        if (!work.Done.IsSet)
        {
            var started = Stopwatch.GetTimestamp();
            work.Done.Wait();
            _exposedTicks += Stopwatch.GetTimestamp() - started;
        }

        work.Failure?.Throw();
    }

    public void Dispose()
    {
        _queue?.CompleteAdding();
        _thread?.Join();
        _queue?.Dispose();
    }

    private void Run()
    {
        foreach (var work in _queue!.GetConsumingEnumerable())
        {
            Execute(work);
        }
    }

    private void Execute(Work work)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            work.Action();
        }
        catch (Exception e)
        {
            // Told to whoever waits, on the thread that trains.
            work.Failure = ExceptionDispatchInfo.Capture(e);
        }

        Volatile.Write(ref _busyTicks, _busyTicks + Stopwatch.GetTimestamp() - started);
        work.Done.Set();
    }

    /// <summary>A piece of communication under way.</summary>
    internal sealed class Work(Action action)
    {
        public Action Action { get; } = action;

        public ManualResetEventSlim Done { get; } = new(false, spinCount: 0);

        public ExceptionDispatchInfo? Failure { get; set; }
    }
}
