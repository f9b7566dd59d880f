using System.Net;

namespace Phi.Collectives.Nccl;

/// <summary>Where this rank is, and how long it waits.</summary>
public sealed record NcclOptions
{
    /// <summary>Ranks of the same node count their bytes as within it, and need a GPU each.</summary>
    public required int NodeRank { get; init; }

    /// <summary>Address at which peers reach this rank; rank 0 hears here what each rank is doing.</summary>
    public required IPAddress BindAddress { get; init; }

    /// <summary>How often the watchdog looks. Default 100 ms.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Its deadline is the longest time that a collective may be running on the device.</summary>
    public CollectiveOptions Collectives { get; init; } = new();
}
