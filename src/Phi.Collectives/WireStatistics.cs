namespace Phi.Collectives;

/// <summary>Where bytes went.</summary>
public enum WireScope
{
    /// <summary>Within a node.</summary>
    Intra,
    /// <summary>Across nodes.</summary>
    Inter,
}

/// <summary>Bytes that one rank has sent, by operation and scope. Written by the communicator's thread; read by any.</summary>
public sealed class WireStatistics(TimeProvider? time = null)
{
    private readonly long[] _bytes = new long[Enum.GetValues<CollectiveOperation>().Length * 2];

    /// <summary>What the rank waits for.</summary>
    public CollectiveTrace Trace { get; } = new(time ?? TimeProvider.System);

    public long Bytes(CollectiveOperation operation, WireScope scope) => Volatile.Read(ref _bytes[Index(operation, scope)]);

    public long Bytes(WireScope scope) => Enum.GetValues<CollectiveOperation>().Sum(operation => Bytes(operation, scope));

    internal void Add(CollectiveOperation operation, WireScope scope, long bytes) => Interlocked.Add(ref _bytes[Index(operation, scope)], bytes);

    private static int Index(CollectiveOperation operation, WireScope scope) => (int)operation * 2 + (int)scope;
}
