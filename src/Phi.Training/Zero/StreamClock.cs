using System.Collections.Concurrent;
using Phi.Collectives.Cuda;
using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>
/// Marks in a device's streams, and the time between two of them, known once the work before both is done. Marks are null on a device
/// whose calls return when their work is done: there the host's clock serves.
/// </summary>
internal sealed class StreamClock(IDevice device) : IDisposable
{
    private readonly ConcurrentBag<CudaEvent> _free = [];
    private readonly ConcurrentQueue<Span> _pending = [];

    /// <summary>A mark behind the work of the calling thread's stream.</summary>
    public CudaEvent? Mark()
    {
        var mark = _free.TryTake(out var free) ? free : device.CreateEvent();
        mark?.Record();
        return mark;
    }

    /// <summary>The mark is not waited for any more.</summary>
    public void Free(CudaEvent mark) => _free.Add(mark);

    /// <summary>Gives the time between two marks to <paramref name="add"/> at a later <see cref="Collect"/>; the marks are the clock's again then.</summary>
    public void Measure(CudaEvent start, CudaEvent end, Action<double> add, Action? collected = null) => _pending.Enqueue(new Span(start, end, add, collected));

    /// <summary>Call when the streams have gone on for a while: takes what is done, leaves the rest.</summary>
    public void Collect()
    {
        for (var left = _pending.Count; left > 0 && _pending.TryDequeue(out var span); left--)
        {
            if (!span.End.IsDone)
            {
                _pending.Enqueue(span);
                continue;
            }

            span.Add(span.End.SecondsSince(span.Start));
            span.Collected?.Invoke();
            _free.Add(span.Start);
            _free.Add(span.End);
        }
    }

    public void Dispose()
    {
        foreach (var mark in _free.Concat(_pending.SelectMany(span => new[] { span.Start, span.End })))
        {
            mark.Dispose();
        }
    }

    private sealed record Span(CudaEvent Start, CudaEvent End, Action<double> Add, Action? Collected);
}
