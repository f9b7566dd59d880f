using System.Threading.Channels;

namespace Phi.Operator.Events;

/// <summary>Events on their way, warnings first. When it is full the oldest normal event gives way; among warnings alone the oldest one.</summary>
internal sealed class EventBuffer(int capacity)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<PendingEvent> _warnings = new();
    private readonly LinkedList<PendingEvent> _normals = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The event that had no room: an older one, or, if everything there is more important, this one. Null: none.</summary>
    public PendingEvent? Add(PendingEvent value)
    {
        PendingEvent? dropped = null;
        lock (_lock)
        {
            if (_warnings.Count + _normals.Count >= capacity)
            {
                if (_normals.Count == 0 && !value.IsWarning)
                {
                    return value;
                }

                var oldest = _normals.Count > 0 ? _normals : _warnings;
                dropped = oldest.First!.Value;
                oldest.RemoveFirst();
            }

            (value.IsWarning ? _warnings : _normals).AddLast(value);
        }

        _signal.Writer.TryWrite(true);
        return dropped;
    }

    /// <summary>Brings back what was taken and could not be written.</summary>
    public void PutBack(PendingEvent value)
    {
        lock (_lock)
        {
            (value.IsWarning ? _warnings : _normals).AddFirst(value);
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>The most important event; null if there is none.</summary>
    public PendingEvent? Take()
    {
        lock (_lock)
        {
            var list = _warnings.Count > 0 ? _warnings : _normals;
            if (list.First is not { } first)
            {
                return null;
            }

            list.RemoveFirst();
            return first.Value;
        }
    }

    /// <summary>Completes when there is an event.</summary>
    public async ValueTask WaitAsync(CancellationToken ct)
    {
        while (IsEmpty())
        {
            await _signal.Reader.ReadAsync(ct);
        }
    }

    private bool IsEmpty()
    {
        lock (_lock)
        {
            return _warnings.Count + _normals.Count == 0;
        }
    }
}
