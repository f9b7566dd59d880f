namespace Phi.Collectives.Channels;

/// <summary>Two rings, one each way. <paramref name="isAlive"/> tells whether the peer is there; <paramref name="release"/> gives the memory back.</summary>
internal sealed unsafe class RingChannel(RingBuffer outgoing, RingBuffer incoming, Func<bool> isAlive, Action release) : PeerChannel
{
    private readonly RingBuffer _outgoing = outgoing;
    private readonly RingBuffer _incoming = incoming;
    private Action? _release = release;

    public override WireScope Scope => WireScope.Intra;

    public override long TrySend(byte* from, long length) => _outgoing.Write(from, length);

    public override long TryReceive(byte* to, long length) => _incoming.Read(to, length);

    public override bool IsPeerAlive() => isAlive();

    public override void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
