using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Phi.Collectives.Cuda;
using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// Does communication in order on a thread of its own, behind the compute. On a GPU the thread has a stream: what it starts waits in the
/// stream for the compute before it, and the compute waits in its own stream for it, while both threads go on. Without a thread, work is
/// done at once by the caller.
/// </summary>
internal sealed class CommunicationStream : IDisposable
{
    private readonly IDevice _device;
    private readonly StreamClock _clock;
    private readonly BlockingCollection<Work>? _queue;
    private readonly Thread? _thread;
    private readonly CudaStream? _stream;
    private double _busySeconds;
    private double _exposedSeconds;

    public CommunicationStream(IDevice device, bool isConcurrent)
    {
        _device = device;
        _clock = new StreamClock(device);
        if (isConcurrent)
        {
            _queue = [];
            _stream = device.CreateStream();
            _thread = new Thread(Run) { IsBackground = true, Name = "communication" };
            _thread.Start();
        }
    }

    /// <summary>Time spent communicating.</summary>
    public TimeSpan Busy => TimeSpan.FromSeconds(Volatile.Read(ref _busySeconds));

    /// <summary>Time that the compute waited for it.</summary>
    public TimeSpan Exposed => TimeSpan.FromSeconds(_exposedSeconds);

    public Work Start(Action action)
    {
        var work = new Work(action);
        if (_queue is null)
        {
            var isEntered = true;
            Execute(work, ref isEntered);
        }
        else
        {
            work.Ready = _clock.Mark();
            _queue.Add(work);
        }

        return work;
    }

    /// <summary>The calling thread's later work sees what the work did; throws what it threw.</summary>
    public void Wait(Work? work)
    {
        if (work is null)
        {
            return;
        }

        var started = Stopwatch.GetTimestamp();
        var hasWaited = !work.Done.IsSet;
        // Before the host waits: while it does, the device may have nothing to do.
        var before = _queue is null || work.IsOver ? null : _clock.Mark();
        work.Done.Wait();
        work.Failure?.Throw();
        if (before is not null && work.Ended is { } ended)
        {
            ended.Wait();
            _clock.Measure(before, _clock.Mark()!, seconds => _exposedSeconds += seconds);
        }
        else
        {
            _exposedSeconds += hasWaited ? Stopwatch.GetElapsedTime(started).TotalSeconds : 0;
        }
    }

    /// <summary>Takes the times of work that is done. Call once a step, on the thread that trains.</summary>
    public void Collect() => _clock.Collect();

    public void Dispose()
    {
        _queue?.CompleteAdding();
        _thread?.Join();
        _queue?.Dispose();
        _stream?.Dispose();
        _clock.Dispose();
    }

    private void Run()
    {
        var isEntered = false;
        foreach (var work in _queue!.GetConsumingEnumerable())
        {
            Execute(work, ref isEntered);
        }

        try
        {
            _stream?.Synchronize();
        }
        catch (CudaException)
        {
            // Whoever waited for the work that failed was told.
        }
    }

    private void Execute(Work work, ref bool isEntered)
    {
        var started = Stopwatch.GetTimestamp();
        CudaEvent? began = null;
        try
        {
            if (!isEntered)
            {
                _device.EnterThread();
                _stream?.MakeCurrent();
                isEntered = true;
            }

            if (work.Ready is { } ready)
            {
                ready.Wait();
                _clock.Free(ready);
            }

            began = _clock.Mark();
            work.Action();
            work.Ended = began is null ? null : _clock.Mark();
        }
        catch (Exception e)
        {
            // Told to whoever waits, on the thread that trains.
            work.Failure = ExceptionDispatchInfo.Capture(e);
        }

        if (began is null)
        {
            AddBusy(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        else if (work.Ended is { } ended)
        {
            _clock.Measure(began, ended, AddBusy, () => work.IsOver = true);
        }

        work.Done.Set();
    }

    private void AddBusy(double seconds)
    {
        Volatile.Write(ref _busySeconds, _busySeconds + seconds);
        _exposedSeconds += _queue is null ? seconds : 0;
    }

    /// <summary>A piece of communication under way.</summary>
    internal sealed class Work(Action action)
    {
        public Action Action { get; } = action;

        /// <summary>Set when the work is done, or, on a GPU, in its stream.</summary>
        public ManualResetEventSlim Done { get; } = new(false, spinCount: 0);

        public ExceptionDispatchInfo? Failure { get; set; }

        /// <summary>In the stream that trains, behind what the work needs; null where calls return when their work is done.</summary>
        public CudaEvent? Ready { get; set; }

        /// <summary>In the communication's stream, behind the work.</summary>
        public CudaEvent? Ended { get; set; }

        /// <summary>Whether the work is known to be done; its marks may be another's then.</summary>
        public bool IsOver { get; set; }
    }
}
