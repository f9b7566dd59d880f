using Phi.Collectives;

namespace Phi.Collectives.Channels;

/// <summary>An ordered byte stream in both directions between this rank and one peer. Never blocks.</summary>
internal abstract unsafe class PeerChannel : IDisposable
{
    public abstract WireScope Scope { get; }

    /// <summary>Sends up to length bytes; returns how many were taken.</summary>
    public abstract long TrySend(byte* from, long length);

    /// <summary>Receives up to length bytes; returns how many came.</summary>
    public abstract long TryReceive(byte* to, long length);

    /// <summary>False once the peer is known to have left. Bytes that it sent before may still be received.</summary>
    public abstract bool IsPeerAlive();

    public abstract void Dispose();
}
