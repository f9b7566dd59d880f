using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Phi.Collectives.Channels;

namespace Phi.Collectives;

/// <summary>
/// Every collective as one exchange: each rank has bytes for each peer and expects bytes from it. One loop moves all streams at
/// once, so that no order of calls can block, and reductions add what came in rank order.
/// </summary>
internal sealed unsafe partial class ChannelCommunicator : ICommunicator
{
    private const int SpinsBeforeYield = 200;
    private const int YieldsBeforeLivenessCheck = 64;
    private const int YieldsBeforeSleep = 256;
    private const int SleepMicroseconds = 50;
    private readonly PeerChannel?[] _channels;
    private readonly CollectiveOptions _options;
    private readonly Segment[] _send;
    private readonly Segment[] _receive;
    private readonly bool _ownsChannels;
    private byte* _scratch;
    private long _scratchBytes;

    /// <summary>Of a rank of this group, its rank in the whole world: what errors name.</summary>
    private readonly IReadOnlyList<int> _worldRanks;

    /// <param name="channels">By rank; null at this rank's own place.</param>
    public ChannelCommunicator(int rank, PeerChannel?[] channels, CollectiveOptions options)
        : this(rank, channels, options, new WireStatistics(options.Time), [.. Enumerable.Range(0, channels.Length)], ownsChannels: true)
    {
    }

    private ChannelCommunicator(int rank, PeerChannel?[] channels, CollectiveOptions options, WireStatistics statistics, IReadOnlyList<int> worldRanks, bool ownsChannels)
    {
        _worldRanks = worldRanks;
        Rank = rank;
        _channels = channels;
        _options = options;
        _ownsChannels = ownsChannels;
        _send = new Segment[channels.Length];
        _receive = new Segment[channels.Length];
        Statistics = statistics;
    }

    public int Rank { get; }

    public int WorldSize => _channels.Length;

    public WireStatistics Statistics { get; }

    public CollectiveHandle AllGather(nint send, nint receive, long bytes)
    {
        Check(bytes);
        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = new Segment((byte*)send, bytes);
            _receive[peer] = new Segment((byte*)receive + peer * bytes, bytes);
        }

        return Exchange(CollectiveOperation.AllGather);
    }

    public CollectiveHandle AllToAll(nint send, nint receive, long bytes)
    {
        Check(bytes);
        return AllToAll(CollectiveOperation.AllToAll, (byte*)send, (byte*)receive, bytes);
    }

    public CollectiveHandle ReduceScatter(nint send, nint receive, long count)
    {
        Check(count);
        var bytes = count * sizeof(float);
        var scratch = Scratch(bytes * WorldSize);
        AllToAll(CollectiveOperation.ReduceScatter, (byte*)send, scratch, bytes);
        Sum(scratch, (float*)receive, count);
        return default;
    }

    public CollectiveHandle AllReduce(nint buffer, long count)
    {
        Check(count);
        // Blocks of whole values; the last ones may be short or empty, never dropped.
        var block = (count + WorldSize - 1) / WorldSize;
        var scratch = Scratch(block * WorldSize * sizeof(float));
        var mine = Block(Rank);
        for (var peer = 0; peer < WorldSize; peer++)
        {
            var (start, length) = Block(peer);
            _send[peer] = new Segment((byte*)buffer + start * sizeof(float), length * sizeof(float));
            _receive[peer] = new Segment(scratch + peer * mine.Length * sizeof(float), mine.Length * sizeof(float));
        }

        Exchange(CollectiveOperation.AllReduce);
        var own = (float*)buffer + mine.Start;
        Sum(scratch, own, mine.Length);
        for (var peer = 0; peer < WorldSize; peer++)
        {
            var (start, length) = Block(peer);
            _send[peer] = new Segment((byte*)own, mine.Length * sizeof(float));
            _receive[peer] = new Segment((byte*)buffer + start * sizeof(float), length * sizeof(float));
        }

        return Exchange(CollectiveOperation.AllReduce);

        (long Start, long Length) Block(int rank)
        {
            var start = Math.Min(count, rank * block);
            return (start, Math.Min(count, start + block) - start);
        }
    }

    public CollectiveHandle Broadcast(nint buffer, long bytes, int root)
    {
        Check(bytes);
        if (root < 0 || root >= WorldSize)
        {
            throw new ArgumentOutOfRangeException(nameof(root), root, $"the root must be a rank from 0 to {WorldSize - 1}");
        }

        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = new Segment((byte*)buffer, Rank == root ? bytes : 0);
            _receive[peer] = new Segment((byte*)buffer, peer == root ? bytes : 0);
        }

        return Exchange(CollectiveOperation.Broadcast);
    }

    public CollectiveHandle Barrier()
    {
        var scratch = Scratch(2L * WorldSize);
        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = new Segment(scratch + peer, 1);
            _receive[peer] = new Segment(scratch + WorldSize + peer, 1);
        }

        return Exchange(CollectiveOperation.Barrier);
    }

    public ICommunicator Split(int color)
    {
        var colors = stackalloc int[WorldSize];
        AllGather((nint)(&color), (nint)colors, sizeof(int)).Wait();
        var members = new List<int>();
        for (var peer = 0; peer < WorldSize; peer++)
        {
            if (colors[peer] == color)
            {
                members.Add(peer);
            }
        }

        return new ChannelCommunicator(members.IndexOf(Rank), [.. members.Select(peer => _channels[peer])], _options, Statistics, [.. members.Select(peer => _worldRanks[peer])], ownsChannels: false);
    }

    public ValueTask DisposeAsync()
    {
        NativeMemory.AlignedFree(_scratch);
        _scratch = null;
        _scratchBytes = 0;
        if (_ownsChannels)
        {
            foreach (var channel in _channels)
            {
                channel?.Dispose();
            }
        }

        return ValueTask.CompletedTask;
    }

    private CollectiveHandle AllToAll(CollectiveOperation operation, byte* send, byte* receive, long bytes)
    {
        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = new Segment(send + peer * bytes, bytes);
            _receive[peer] = new Segment(receive + peer * bytes, bytes);
        }

        return Exchange(operation);
    }

    private CollectiveHandle Exchange(CollectiveOperation operation)
    {
        Statistics.Trace.Enter(operation);
        Move(operation);
        // Not after an error: what the rank could not get out of is the last thing to be said of it.
        Statistics.Trace.Leave();
        return default;
    }

    private void Move(CollectiveOperation operation)
    {
        ref var own = ref _receive[Rank];
        if (own.Left > 0 && own.At != _send[Rank].At)
        {
            Buffer.MemoryCopy(_send[Rank].At, own.At, own.Left, own.Left);
        }

        own = _send[Rank] = default;
        var idle = 0;
        var idleSince = 0L;
        while (true)
        {
            var (moved, pending) = MoveAll(operation);
            if (!pending)
            {
                return;
            }

            if (moved)
            {
                idle = 0;
                continue;
            }

            if (idle++ == 0)
            {
                idleSince = _options.Time.GetTimestamp();
            }

            Idle(operation, idle, idleSince);
        }
    }

    private (bool Moved, bool Pending) MoveAll(CollectiveOperation operation)
    {
        var moved = false;
        var pending = false;
        for (var distance = 1; distance < WorldSize; distance++)
        {
            var to = (Rank + distance) % WorldSize;
            var sent = _send[to].Left > 0 ? _channels[to]!.TrySend(_send[to].At, _send[to].Left) : 0;
            if (sent > 0)
            {
                Statistics.Add(operation, _channels[to]!.Scope, sent);
                _send[to] = _send[to].Advance(sent);
            }

            var from = (Rank - distance + WorldSize) % WorldSize;
            var received = _receive[from].Left > 0 ? _channels[from]!.TryReceive(_receive[from].At, _receive[from].Left) : 0;
            _receive[from] = _receive[from].Advance(received);
            moved |= sent > 0 || received > 0;
            pending |= _send[to].Left > 0 || _receive[from].Left > 0;
        }

        return (moved, pending);
    }

    private void Idle(CollectiveOperation operation, int idle, long idleSince)
    {
        if (idle < SpinsBeforeYield)
        {
            Thread.SpinWait(10);
            return;
        }

        if (idle < SpinsBeforeYield + YieldsBeforeSleep)
        {
            Thread.Yield();
        }
        else
        {
            // A peer that computes may need this core.
            _ = Sleep(SleepMicroseconds);
        }

        if (idle % YieldsBeforeLivenessCheck != 0)
        {
            return;
        }

        for (var peer = 0; peer < WorldSize; peer++)
        {
            // What a peer sent before it left is received first: the loop found nothing more to move.
            if (peer != Rank && (_send[peer].Left > 0 || _receive[peer].Left > 0) && !_channels[peer]!.IsPeerAlive())
            {
                ThrowUnlessArriving(operation, peer);
            }
        }

        if (_options.Time.GetElapsedTime(idleSince) > _options.Deadline)
        {
            var missing = Array.FindIndex(_receive, segment => segment.Left > 0);
            missing = missing < 0 ? Array.FindIndex(_send, segment => segment.Left > 0) : missing;
            throw new CollectiveException(operation, _worldRanks[Rank], _worldRanks[missing], $"did not answer within {_options.Deadline.TotalSeconds:0.###} s");
        }
    }

    private void ThrowUnlessArriving(CollectiveOperation operation, int peer)
    {
        var received = _receive[peer].Left > 0 ? _channels[peer]!.TryReceive(_receive[peer].At, _receive[peer].Left) : 0;
        _receive[peer] = _receive[peer].Advance(received);
        if (received == 0)
        {
            throw new CollectiveException(operation, _worldRanks[Rank], _worldRanks[peer], "closed its connection (its process ended)");
        }
    }

    /// <summary>Adds [world × count] values in rank order.</summary>
    private void Sum(byte* blocks, float* to, long count)
    {
        for (long start = 0; start < count; start += int.MaxValue / 2)
        {
            var length = (int)Math.Min(count - start, int.MaxValue / 2);
            var sum = new Span<float>(to + start, length);
            new ReadOnlySpan<float>((float*)blocks + start, length).CopyTo(sum);
            for (var rank = 1; rank < WorldSize; rank++)
            {
                TensorPrimitives.Add(sum, new ReadOnlySpan<float>((float*)blocks + rank * count + start, length), sum);
            }
        }
    }

    private byte* Scratch(long bytes)
    {
        if (bytes > _scratchBytes)
        {
            NativeMemory.AlignedFree(_scratch);
            _scratch = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
            NativeMemory.Clear(_scratch, (nuint)bytes);
            _scratchBytes = bytes;
        }

        return _scratch;
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int Sleep(uint microseconds);

    private static void Check(long size) => ArgumentOutOfRangeException.ThrowIfNegative(size);

    private readonly struct Segment(byte* at, long left)
    {
        public byte* At { get; } = at;

        public long Left { get; } = left;

        public Segment Advance(long bytes) => new(At + bytes, Left - bytes);
    }
}
