using Phi.Api.Metadata;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Events;

/// <summary>
/// The events that the operator has not taken, oldest first: those on disk, then those in memory. Adding never waits for the disk. What is
/// spilled while it is being sent is on disk once more, and is sent again.
/// </summary>
internal sealed class EventBuffer(EventSpool spool, EventOptions options, Action<string> log) : IDisposable
{
    private const int RecordEvents = 500;

    /// <summary>Held for as long as the disk takes; the memory's lock is taken within it.</summary>
    private readonly Lock _disk = new();
    private readonly Lock _memory = new();
    private readonly Queue<(int Attempt, RankEvent Event)> _queue = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly EventNotices _notices = new(log);
    private EventChunk? _onDisk;
    private long _removed;
    private bool _isComplete;

    public string Folder => spool.Folder;

    /// <summary>Events in memory.</summary>
    public int Count
    {
        get
        {
            lock (_memory)
            {
                return _queue.Count;
            }
        }
    }

    public bool IsOnDisk
    {
        get
        {
            lock (_disk)
            {
                return !spool.IsEmpty;
            }
        }
    }

    public bool IsComplete
    {
        get
        {
            lock (_memory)
            {
                return _isComplete;
            }
        }
    }

    public void Add(int attempt, RankEvent value)
    {
        lock (_memory)
        {
            if (_isComplete)
            {
                return;
            }

            if (!EventOptions.Keeps(value, _queue.Count, options.MemoryEvents))
            {
                _notices.GiveUp(1, "memory", $"{_queue.Count} events wait in memory, where at most {options.MemoryEvents} may");
                return;
            }

            _queue.Enqueue((attempt, value));
        }

        Wake();
    }

    /// <summary>Nothing more will be added.</summary>
    public void Complete()
    {
        lock (_memory)
        {
            _isComplete = true;
        }

        Wake();
    }

    /// <summary>Waits for events; false: there are none, and there will be none.</summary>
    public async Task<bool> WaitAsync(CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (IsOnDisk || Count > 0)
            {
                return true;
            }

            if (IsComplete)
            {
                return false;
            }

            await _news.WaitAsync(ct);
        }
    }

    /// <summary>The oldest events, about so many at most; the same until they are removed. Null: there are none.</summary>
    public EventChunk? Next(int most)
    {
        lock (_disk)
        {
            return (_onDisk ??= spool.Read(most)) ?? FromMemory(most);
        }
    }

    /// <summary>The operator has taken them, or never will.</summary>
    public void Remove(EventChunk chunk)
    {
        lock (_disk)
        {
            if (chunk.End is { } end)
            {
                Forget(end);
            }
            else
            {
                spool.Remove();
                _onDisk = null;
            }

            // There is always something in memory while ranks train.
            if (spool.IsEmpty && Count < RecordEvents)
            {
                _notices.CaughtUp();
            }
        }
    }

    /// <summary>Moves what is in memory to the disk; what the disk does not take stays.</summary>
    public void Spill()
    {
        lock (_disk)
        {
            while (FromMemory(RecordEvents) is { } chunk)
            {
                List<RankEvent> kept = [.. chunk.Events.Where(value => EventOptions.Keeps(value, spool.Bytes, options.DiskBytes))];
                if (kept.Count > 0 && !TryAppend(new SpoolRecord(chunk.Attempt, kept)))
                {
                    return;
                }

                if (kept.Count < chunk.Events.Count)
                {
                    _notices.GiveUp(chunk.Events.Count - kept.Count, "disk", $"{spool.Bytes} bytes of events wait in {Folder}, where at most {options.DiskBytes} may");
                }

                Forget(chunk.End!.Value);
            }
        }
    }

    public void Dispose()
    {
        spool.Dispose();
        _news.Dispose();
    }

    private void Wake()
    {
        // Its count is how often the one who waits looks in vain.
        if (_news.CurrentCount == 0)
        {
            _news.Release();
        }
    }

    private bool TryAppend(SpoolRecord record)
    {
        try
        {
            spool.Append(record);
            _notices.SayOnce("spilled", $"the operator takes no events, or too few; they wait in {Folder}");
            return true;
        }
        catch (IOException e)
        {
            _notices.SayOnce("failed", $"events cannot be written to {Folder} ({e.Message}), and wait in memory, at most {options.MemoryEvents}; make room, or set {PhiEnvironment.EventFolder} to another folder");
            return false;
        }
    }

    private EventChunk? FromMemory(int most)
    {
        lock (_memory)
        {
            if (!_queue.TryPeek(out var first))
            {
                return null;
            }

            List<RankEvent> events = [.. _queue.Take(most).TakeWhile(item => item.Attempt == first.Attempt).Select(item => item.Event)];
            return new EventChunk(first.Attempt, events, _removed + events.Count);
        }
    }

    private void Forget(long end)
    {
        lock (_memory)
        {
            for (; _removed < end; _removed++)
            {
                _queue.Dequeue();
            }
        }
    }
}
