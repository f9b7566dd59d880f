using Phi.Training.Kernels;

namespace Phi.Training.Zero;

/// <summary>Buffers that all units share: gathers and reductions follow each other on one stream, so each is free when the next begins.</summary>
internal sealed class CommunicationScratch : IDisposable
{
    /// <summary>What a gather brought across nodes.</summary>
    public NativeBytes Across { get; } = new(0);

    public NativeBytes Sent { get; } = new(0);

    public NativeBytes Received { get; } = new(0);

    /// <summary>fp32 sums between the two hops of a reduction.</summary>
    public NativeBytes Sums { get; } = new(0);

    /// <summary>fp32 values of one shard, on their way into or out of a message.</summary>
    public NativeBytes Values { get; } = new(0);

    public void Dispose()
    {
        Across.Dispose();
        Sent.Dispose();
        Received.Dispose();
        Sums.Dispose();
        Values.Dispose();
    }
}
