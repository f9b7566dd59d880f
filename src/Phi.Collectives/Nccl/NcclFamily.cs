using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl.Control;

namespace Phi.Collectives.Nccl;

/// <summary>
/// What the communicators of one rank share: NCCL's handles, the collectives on their way, scratch memory on the device, and how it ended.
/// Its communicators are called by one thread at a time; the watchdog by its own.
/// </summary>
internal sealed class NcclFamily(int rank, CudaContext context, NcclOptions options) : IDisposable
{
    private const int SpinsBeforeSleep = 1000;

    /// <summary>Longest wait for another thread's call of NCCL, or for a communicator to end in order.</summary>
    private static readonly TimeSpan CallPatience = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for an abort, which some versions of NCCL do not always end.</summary>
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(10);

    /// <summary>Longest wait for the watchdog's word on an error.</summary>
    private static readonly TimeSpan VerdictPatience = TimeSpan.FromSeconds(30);

    /// <summary>Held during each call of NCCL: an abort must not meet another call. A call returns at once.</summary>
    private readonly Lock _calls = new();
    private readonly List<NcclHandle> _handles = [];
    private readonly ManualResetEventSlim _broken = new();
    private Failure? _failure;
    private bool _errorIsReported;
    private bool _isStuck;
    private nint _scratch;
    private long _scratchBytes;

    public int Rank => rank;

    public CudaContext Context => context;

    public NcclOptions Options => options;

    public Flights Flights { get; } = new(rank, options.Collectives);

    public WireStatistics Statistics { get; } = new(options.Collectives.Time);

    /// <summary>How the group ended; null while it works.</summary>
    public Failure? Failure => Volatile.Read(ref _failure);

    /// <exception cref="CollectiveException">The group is over.</exception>
    public void ThrowIfBroken(CollectiveOperation operation)
    {
        if (Failure is { } failure)
        {
            throw new CollectiveException(failure.Operation ?? operation, rank, failure.MissingRank, failure.Reason);
        }
    }

    /// <summary>A zero on the device, for barriers.</summary>
    public nint Zero { get; } = AllocateZero(context);

    /// <summary>At least this many bytes on the device, which every reduction of the family uses in turn. Growing waits for the stream.</summary>
    public nint Scratch(CollectiveOperation operation, long bytes)
    {
        if (bytes > _scratchBytes)
        {
            CudaStream.SynchronizeCurrent();
            ThrowIfBroken(operation);
            FreeScratch();
            CudaException.ThrowIfFailed(CudaDriver.MemAlloc(out _scratch, (nuint)bytes), $"allocate {bytes} bytes of scratch for {operation}");
            _scratchBytes = bytes;
        }

        return _scratch;
    }

    /// <summary>Calls NCCL alone, and returns when it has put the work in the stream.</summary>
    /// <param name="call">Given NCCL's communicator and the calling thread's stream; returns an ncclResult_t.</param>
    /// <exception cref="CollectiveException">The group is over, or NCCL failed.</exception>
    public void Issue<T>(NcclHandle handle, InFlight flight, T state, Func<T, nint, nint, int> call)
    {
        int result;
        lock (_calls)
        {
            ThrowIfBroken(flight.Operation);
            result = call(state, handle.Value, CudaStream.Current);
        }

        if (!IsReady(handle, result, flight.Operation, flight.Members))
        {
            ThrowIfBroken(flight.Operation);
        }
    }

    /// <summary>Makes a communicator of the members; every one of them calls it.</summary>
    /// <param name="members">World ranks.</param>
    /// <exception cref="RendezvousException">One of them did not come, or NCCL failed.</exception>
    public NcclHandle Join(NcclUniqueId id, IReadOnlyList<int> members)
    {
        context.MakeCurrent();
        Flights.BeginJoin(members);
        var handle = new NcclHandle(0);
        var result = NcclApi.Success;
        lock (_calls)
        {
            if (Failure is null)
            {
                result = NcclApi.CommInitRankConfig(out var communicator, members.Count, id, members.ToList().IndexOf(rank), new NcclConfig(isBlocking: false));
                if (communicator != 0)
                {
                    handle.Value = communicator;
                    _handles.Add(handle);
                }
            }
        }

        if (!IsReady(handle, result, null, members))
        {
            var failure = Failure!;
            throw new RendezvousException($"rank {rank} could not join NCCL's communicator of ranks {string.Join(", ", members)}: rank {failure.MissingRank} {failure.Reason}");
        }

        Flights.EndJoin();
        return handle;
    }

    /// <summary>Frees a communicator: in order where all work is done; elsewhere the whole group is over.</summary>
    public async ValueTask ReleaseAsync(NcclHandle handle)
    {
        context.MakeCurrent();
        if (Failure is null && (!Flights.IsIdle || !await TryFinalizeAsync(handle)))
        {
            Break(new Failure(rank, null, "left in the middle of a collective"));
        }

        context.MakeCurrent();
        lock (_calls)
        {
            _handles.Remove(handle);
            if (handle.Value != 0)
            {
                // A broken group may never answer to a destroy.
                _ = Failure is null ? NcclApi.CommDestroy(handle.Value) : NcclApi.CommAbort(handle.Value);
                handle.Value = 0;
            }
        }
    }

    public async ValueTask ReleaseAllAsync()
    {
        NcclHandle[] handles;
        lock (_calls)
        {
            handles = [.. _handles];
        }

        foreach (var handle in handles)
        {
            await ReleaseAsync(handle);
        }
    }

    /// <summary>An error that NCCL met outside a call, once.</summary>
    public Report? FindAsyncError()
    {
        // A call that is under way finds its own errors.
        if (_errorIsReported || !_calls.TryEnter())
        {
            return null;
        }

        try
        {
            foreach (var handle in _handles)
            {
                if (State(handle) is not (NcclApi.Success or NcclApi.InProgress) and var state)
                {
                    _errorIsReported = true;
                    var (operation, members) = Flights.Head;
                    return Error(state, handle, operation, members);
                }
            }

            return null;
        }
        finally
        {
            _calls.Exit();
        }
    }

    /// <summary>Ends the group: every call throws from now on, and what is stuck on the device is let go. The first failure stays.</summary>
    public void Break(Failure failure)
    {
        if (Interlocked.CompareExchange(ref _failure, failure with { Operation = Flights.Head.Operation ?? failure.Operation }, null) is null)
        {
            _broken.Set();
            Abort();
        }
    }

    public void Dispose()
    {
        _broken.Dispose();
        if (_isStuck)
        {
            // To free memory is to wait for the device, which does not come back; the end of the process frees it.
            return;
        }

        context.MakeCurrent();
        FreeScratch();
        _ = CudaDriver.MemFree(Zero);
        Flights.Dispose();
    }

    /// <summary>Waits while NCCL issues the work. False when the group is over.</summary>
    private bool IsReady(NcclHandle handle, int result, CollectiveOperation? operation, IReadOnlyList<int> members)
    {
        var spin = new SpinWait();
        while (result == NcclApi.InProgress && Failure is null)
        {
            // Issuing takes tens of microseconds, and connecting to a peer seconds.
            spin.SpinOnce(SpinsBeforeSleep);
            lock (_calls)
            {
                result = Failure is null ? State(handle) : NcclApi.InProgress;
            }
        }

        if (result == NcclApi.Success && Failure is null)
        {
            return true;
        }

        if (Failure is null)
        {
            var error = Error(result, handle, operation, members);
            Flights.Report(error);
            if (!_broken.Wait(VerdictPatience))
            {
                Break(new Failure(rank, operation, error.Text));
            }
        }

        return false;
    }

    private async ValueTask<bool> TryFinalizeAsync(NcclHandle handle)
    {
        var time = options.Collectives.Time;
        var since = time.GetTimestamp();
        var state = Locked(handle => NcclApi.CommFinalize(handle.Value));
        while (state == NcclApi.InProgress && Failure is null && time.GetElapsedTime(since) < CallPatience)
        {
            await Task.Delay(options.Poll, time, CancellationToken.None);
            state = Locked(State);
        }

        return state == NcclApi.Success;

        int Locked(Func<NcclHandle, int> call)
        {
            lock (_calls)
            {
                return handle.Value == 0 ? NcclApi.InvalidUsage : call(handle);
            }
        }
    }

    private void Abort()
    {
        var isAlone = _calls.TryEnter(CallPatience);
        var handles = _handles.Select(handle => handle.Value).ToList();
        _handles.ForEach(handle => handle.Value = 0);
        _handles.Clear();
        if (isAlone)
        {
            _calls.Exit();
        }

        // At once, not in turn: freeing one waits for the device, on which another's collective may be next in the stream.
        var threads = handles.Select(handle => new Thread(() =>
        {
            context.MakeCurrent();
            _ = NcclApi.CommAbort(handle);
        })
        { IsBackground = true, Name = "nccl abort" }).ToList();
        threads.ForEach(thread => thread.Start());
        _isStuck = !threads.TrueForAll(thread => thread.Join(AbortPatience));
    }

    private Report Error(int state, NcclHandle handle, CollectiveOperation? operation, IReadOnlyList<int> members) =>
        new(rank, operation, null, IsError: true, members, $"reported an error of NCCL: {NcclApi.Describe(state, handle.Value)}");

    private static nint AllocateZero(CudaContext context)
    {
        context.MakeCurrent();
        CudaException.ThrowIfFailed(CudaDriver.MemAlloc(out var zero, sizeof(long)), "allocate a zero");
        CudaException.ThrowIfFailed(CudaDriver.MemsetByte(zero, 0, sizeof(long), CudaStream.Current), "clear it");
        CudaStream.SynchronizeCurrent();
        return zero;
    }

    private static int State(NcclHandle handle) => NcclApi.CommGetAsyncError(handle.Value, out var state) is var asked and not NcclApi.Success ? asked : state;

    private void FreeScratch()
    {
        if (_scratch != 0)
        {
            _ = CudaDriver.MemFree(_scratch);
            (_scratch, _scratchBytes) = (0, 0);
        }
    }
}
