using Phi.Collectives;
using Phi.Training.Devices;

namespace Phi.Training.Zero;

/// <summary>Buffers that all units share: gathers and reductions follow each other on one stream, so each is free when the next begins.</summary>
internal sealed class CommunicationScratch(IDevice device) : IDisposable
{
    /// <summary>What a gather brought across nodes.</summary>
    public DeviceBytes Across { get; } = new(device, 0);

    public DeviceBytes Sent { get; } = new(device, 0);

    public DeviceBytes Received { get; } = new(device, 0);

    /// <summary>fp32 sums between the two hops of a reduction.</summary>
    public DeviceBytes Sums { get; } = new(device, 0);

    /// <summary>fp32 values of one part, on their way into or out of a message.</summary>
    public DeviceBytes Values { get; } = new(device, 0);

    /// <summary>The newest collective. Its wait, once the stream has passed it, throws if it was cut off.</summary>
    public CollectiveHandle Newest { get; private set; }

    /// <summary>Later work of the stream sees the collective's result.</summary>
    public void Wait(CollectiveHandle collective)
    {
        Newest = collective;
        collective.Wait();
    }

    public void Dispose()
    {
        Across.Dispose();
        Sent.Dispose();
        Received.Dispose();
        Sums.Dispose();
        Values.Dispose();
    }
}
