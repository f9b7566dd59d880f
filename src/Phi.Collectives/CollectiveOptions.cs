namespace Phi.Collectives;

/// <summary>How long a collective waits.</summary>
public sealed record CollectiveOptions
{
    /// <summary>Longest time without a byte moved before the missing rank is named. Default 60 s.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes buffered each way between two ranks of a node. Default 1 MiB.</summary>
    public int RingBytes { get; init; } = 1 << 20;

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
