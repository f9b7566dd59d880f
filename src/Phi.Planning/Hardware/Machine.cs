namespace Phi.Planning.Hardware;

/// <summary>Nodes that are all alike, and what joins them.</summary>
public sealed record Machine
{
    public required Accelerator Accelerator { get; init; }

    /// <summary>Accelerators of one node.</summary>
    public required int PerNode { get; init; }

    /// <summary>Bytes a second that a node sends to the others while it receives as many, all its adapters together.</summary>
    public required double NetworkBandwidth { get; init; }

    /// <summary>Seconds until the first byte of a message is there, within a node.</summary>
    public double LinkLatency { get; init; } = 3e-6;

    /// <summary>The same across nodes.</summary>
    public double NetworkLatency { get; init; } = 10e-6;

    /// <summary>Share of the network's rate that payload gets: headers, acknowledgements, what no schedule fills.</summary>
    public double NetworkEfficiency { get; init; } = 0.9;

    /// <summary>The same of the links within a node.</summary>
    public double LinkEfficiency { get; init; } = 0.8;

    /// <summary>Bytes a second that a node writes to the checkpoints' store.</summary>
    public double StoreBandwidth { get; init; } = 1.25e9;

    /// <summary>Share of the memory's bandwidth that passes over values reach (quantise, sum, update).</summary>
    public double PassEfficiency { get; init; } = 0.75;

    /// <summary>Spread of a computation's time around its mean, as a share of it, each time anew on each rank.</summary>
    public double Jitter { get; init; }

    public double Flops => Accelerator.PeakFlops * Accelerator.Utilization;

    public double Network => NetworkBandwidth * NetworkEfficiency;

    public double Link => Accelerator.LinkBandwidth * LinkEfficiency;

    public double Passes => Accelerator.MemoryBandwidth * PassEfficiency;
}
