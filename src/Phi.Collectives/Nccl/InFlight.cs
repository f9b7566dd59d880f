using Phi.Collectives.Cuda;

namespace Phi.Collectives.Nccl;

/// <summary>A collective between two events of a stream; used again for a later one when both are done.</summary>
internal sealed class InFlight : IDisposable
{
    private readonly CudaEvent _start = new();
    private readonly CudaEvent _end = new();
    private bool _isIssued;

    public CollectiveOperation Operation { get; private set; }

    /// <summary>World ranks of the communicator.</summary>
    public IReadOnlyList<int> Members { get; private set; } = [];

    /// <summary>When it was first seen to run on the device.</summary>
    public long? StartedAt { get; private set; }

    public bool IsReported { get; set; }

    public void Begin(CollectiveOperation operation, IReadOnlyList<int> members)
    {
        (Operation, Members, StartedAt, IsReported, _isIssued) = (operation, members, null, false, false);
        _start.Record();
    }

    /// <summary>All its work is in the stream.</summary>
    public void Issued()
    {
        _end.Record();
        _isIssued = true;
    }

    /// <summary>Later work of the calling thread's stream waits for this.</summary>
    public void WaitInStream() => _end.Wait();

    /// <returns>Whether it is done.</returns>
    public bool Observe(long now)
    {
        if (StartedAt is null && _start.IsDone)
        {
            StartedAt = now;
        }

        return _isIssued && _end.IsDone;
    }

    public void Dispose()
    {
        _start.Dispose();
        _end.Dispose();
    }
}
