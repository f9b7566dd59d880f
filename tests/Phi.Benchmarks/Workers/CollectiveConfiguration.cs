namespace Phi.Benchmarks.Workers;

/// <summary>One rank of a run that measures collectives; sent as JSON on its standard input.</summary>
internal sealed record CollectiveConfiguration
{
    public required int Rank { get; init; }
    public required int WorldSize { get; init; }
    /// <summary>Ranks of one node share memory; the others talk by TCP.</summary>
    public required int NodeRank { get; init; }
    public required int MasterPort { get; init; }
    /// <summary>Bytes of a whole buffer: what is gathered, scattered, exchanged, reduced or broadcast.</summary>
    public required IReadOnlyList<long> Sizes { get; init; }
    /// <summary>Seconds that each round of calls should take.</summary>
    public required double RoundSeconds { get; init; }
}

/// <summary>One collective at one size, as one rank measured it.</summary>
/// <param name="Collective">Such as all-gather; or memcpy, of the bytes that a gather of this size receives.</param>
/// <param name="GigabytesPerSecond">Bytes that a rank receives from the others (of a broadcast: a rank that is not the root), per second.</param>
internal sealed record CollectiveFigure(string Collective, long Size, double GigabytesPerSecond);
