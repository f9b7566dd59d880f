using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl.Control;

namespace Phi.Collectives.Nccl;

/// <summary>
/// The collectives of one rank that are on their way, oldest first. The thread of the communicators begins and ends them, the watchdog
/// looks at them; nothing waits inside the lock.
/// </summary>
internal sealed class Flights(int rank, CollectiveOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<InFlight> _queue = [];
    private readonly Stack<InFlight> _free = [];
    private IReadOnlyList<int>? _joining;
    private long _joiningSince;
    private bool _joiningIsReported;
    private Report? _trouble;
    private long _progress;
    private nint _stream;
    private bool _isLost;

    /// <summary>No collective is on its way.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
            {
                Retire();
                return _queue.Count == 0 && !_isLost;
            }
        }
    }

    /// <summary>What the rank is at: the oldest collective's operation and its communicator's world ranks.</summary>
    public (CollectiveOperation? Operation, IReadOnlyList<int> Members) Head
    {
        get
        {
            lock (_gate)
            {
                return _queue.TryPeek(out var head) ? (head.Operation, head.Members) : (null, _joining ?? []);
            }
        }
    }

    /// <summary>Marks the place in the calling thread's stream before a collective.</summary>
    public InFlight Begin(CollectiveOperation operation, IReadOnlyList<int> members)
    {
        lock (_gate)
        {
            Retire();
            if (_stream != CudaStream.Current && _queue.Count > 0)
            {
                _queue.Last().WaitInStream();
            }

            _stream = CudaStream.Current;
            var flight = _free.TryPop(out var used) ? used : new InFlight();
            flight.Begin(operation, members);
            _queue.Enqueue(flight);
            return flight;
        }
    }

    /// <summary>Marks the place behind it.</summary>
    public void End(InFlight flight)
    {
        lock (_gate)
        {
            flight.Issued();
        }
    }

    public void BeginJoin(IReadOnlyList<int> members)
    {
        lock (_gate)
        {
            (_joining, _joiningSince, _joiningIsReported) = (members, options.Time.GetTimestamp(), false);
        }
    }

    public void EndJoin()
    {
        lock (_gate)
        {
            _joining = null;
            _progress++;
        }
    }

    /// <summary>An error to be reported at the watchdog's next look.</summary>
    public void Report(Report trouble)
    {
        lock (_gate)
        {
            _trouble ??= trouble;
        }
    }

    /// <summary>Looks at the device, and notes in the trace what is under way there.</summary>
    public RankStatus Observe(CollectiveTrace trace)
    {
        lock (_gate)
        {
            Retire();
            var head = _queue.TryPeek(out var oldest) ? oldest : null;
            trace.See(head?.Operation, _progress, head?.StartedAt);
            var isInside = _joining is not null || head?.StartedAt is not null;
            return new RankStatus(2 * _progress + (isInside ? 1 : 0), isInside);
        }
    }

    /// <summary>What does not get on and was not told before.</summary>
    /// <param name="hasLeft">Whether a rank has left in order.</param>
    /// <param name="leavePatience">Longest time a collective takes to end after a member that ended it has left.</param>
    public Report? FindTrouble(Func<int, bool> hasLeft, TimeSpan leavePatience)
    {
        lock (_gate)
        {
            if (_trouble is { } trouble)
            {
                _trouble = null;
                return trouble;
            }

            if (_joining is not null && !_joiningIsReported)
            {
                var report = Overdue(null, _joining, _joiningSince, hasLeft, leavePatience);
                _joiningIsReported = report is not null;
                return report;
            }

            if (_queue.TryPeek(out var head) && head is { IsReported: false, StartedAt: { } since })
            {
                var report = Overdue(head.Operation, head.Members, since, hasLeft, leavePatience);
                head.IsReported = report is not null;
                return report;
            }

            return null;
        }
    }

    public void Dispose()
    {
        foreach (var flight in _queue.Concat(_free))
        {
            flight.Dispose();
        }
    }

    private Report? Overdue(CollectiveOperation? operation, IReadOnlyList<int> members, long since, Func<int, bool> hasLeft, TimeSpan leavePatience)
    {
        var elapsed = options.Time.GetElapsedTime(since);
        if (elapsed > leavePatience && members.FirstOrDefault(hasLeft, -1) is >= 0 and var left)
        {
            return new Report(rank, operation, left, IsError: false, members, "left the group before it ended");
        }

        return elapsed > options.Deadline
            ? new Report(rank, operation, null, IsError: false, members, $"no end within {options.Deadline.TotalSeconds:0.###} s")
            : null;
    }

    private void Retire()
    {
        var now = options.Time.GetTimestamp();
        try
        {
            while (!_isLost && _queue.TryPeek(out var head) && head.Observe(now))
            {
                _free.Push(_queue.Dequeue());
                _progress++;
            }
        }
        catch (CudaException e)
        {
            // A device that failed says so to every later call: once is enough.
            _isLost = true;
            var head = _queue.Peek();
            _trouble ??= new Report(rank, head.Operation, null, IsError: true, head.Members, $"lost its device: {e.Message}");
        }
    }
}
