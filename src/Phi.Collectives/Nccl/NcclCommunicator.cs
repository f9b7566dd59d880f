using Phi.Collectives.Cuda;

namespace Phi.Collectives.Nccl;

/// <summary>
/// Collectives on device memory by NCCL. A call puts its work in the calling thread's stream and returns; its handle's wait does not block,
/// for the stream keeps the order, and throws when the group is known to be over. One thread at a time calls the communicators of a rank.
/// Reductions are an all-to-all and sums in rank order, so that their bits are those of every transport. Bytes are counted by what a rank
/// has for each peer, as the other transports send it; within NCCL's rings the wire carries other amounts.
/// </summary>
internal sealed class NcclCommunicator : ICommunicator
{
    private readonly NcclFamily _family;
    private readonly NcclHandle _handle;
    private readonly ICommunicator _host;
    private readonly IReadOnlyList<int> _worldRanks;
    private readonly WireScope[] _scopes;
    private readonly SumKernel _sum;
    private readonly Block[] _send;
    private readonly Block[] _receive;
    private readonly Action[] _waits;
    private readonly Watchdog? _watchdog;
    private bool _isDisposed;

    /// <param name="host">The same ranks on host memory.</param>
    /// <param name="worldRanks">Of each rank of this group: what errors name.</param>
    /// <param name="scopes">By rank: whether it is of this rank's node.</param>
    /// <param name="watchdog">For the communicator of the world, which stops it.</param>
    public NcclCommunicator(NcclFamily family, NcclHandle handle, ICommunicator host, IReadOnlyList<int> worldRanks, WireScope[] scopes, SumKernel sum, Watchdog? watchdog)
    {
        (_family, _handle, _host, _worldRanks, _scopes, _sum, _watchdog) = (family, handle, host, worldRanks, scopes, sum, watchdog);
        _send = new Block[host.WorldSize];
        _receive = new Block[host.WorldSize];
        _waits = [.. Enum.GetValues<CollectiveOperation>().Select(operation => (Action)(() => family.ThrowIfBroken(operation)))];
    }

    public int Rank => _host.Rank;

    public int WorldSize => _host.WorldSize;

    public WireStatistics Statistics => _family.Statistics;

    public CollectiveHandle AllGather(nint send, nint receive, long bytes)
    {
        Check(bytes);
        var flight = Begin(CollectiveOperation.AllGather);
        Gather(flight, send, receive, bytes);
        return End(flight);
    }

    public CollectiveHandle AllToAll(nint send, nint receive, long bytes)
    {
        Check(bytes);
        var flight = Begin(CollectiveOperation.AllToAll);
        AllToAll(flight, send, receive, bytes);
        return End(flight);
    }

    public CollectiveHandle ReduceScatter(nint send, nint receive, long count)
    {
        Check(count);
        var bytes = count * sizeof(float);
        var scratch = _family.Scratch(CollectiveOperation.ReduceScatter, bytes * WorldSize);
        var flight = Begin(CollectiveOperation.ReduceScatter);
        AllToAll(flight, send, scratch, bytes);
        Sum(scratch, receive, count);
        return End(flight);
    }

    public CollectiveHandle AllReduce(nint buffer, long count)
    {
        Check(count);
        // Blocks of whole values; the last ones may be short or empty, never dropped.
        var block = (count + WorldSize - 1) / WorldSize;
        var scratch = _family.Scratch(CollectiveOperation.AllReduce, block * WorldSize * sizeof(float));
        var flight = Begin(CollectiveOperation.AllReduce);
        var mine = Part(Rank);
        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = Part(peer);
            _receive[peer] = new Block(scratch + (nint)(peer * mine.Bytes), mine.Bytes);
        }

        Exchange(flight);
        Sum(scratch, mine.At, mine.Bytes / sizeof(float));
        if (block * WorldSize == count)
        {
            Gather(flight, mine.At, buffer, mine.Bytes);
            return End(flight);
        }

        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = mine;
            _receive[peer] = Part(peer);
        }

        Exchange(flight);
        return End(flight);

        Block Part(int rank)
        {
            var start = Math.Min(count, rank * block);
            return new Block(buffer + (nint)(start * sizeof(float)), (Math.Min(count, start + block) - start) * sizeof(float));
        }
    }

    public CollectiveHandle Broadcast(nint buffer, long bytes, int root)
    {
        Check(bytes);
        if (root < 0 || root >= WorldSize)
        {
            throw new ArgumentOutOfRangeException(nameof(root), root, $"the root must be a rank from 0 to {WorldSize - 1}");
        }

        var flight = Begin(CollectiveOperation.Broadcast);
        if (bytes > 0)
        {
            _family.Issue(_handle, flight, (buffer, bytes, root), static (state, communicator, stream) => NcclApi.Broadcast(state.buffer, state.buffer, (nuint)state.bytes, NcclApi.Byte, state.root, communicator, stream));
            CountToEveryPeer(CollectiveOperation.Broadcast, Rank == root ? bytes : 0);
        }

        return End(flight);
    }

    /// <summary>Later work of the stream begins when every rank's stream has come here.</summary>
    public CollectiveHandle Barrier()
    {
        var flight = Begin(CollectiveOperation.Barrier);
        _family.Issue(_handle, flight, _family.Zero, static (zero, communicator, stream) => NcclApi.AllReduce(zero, zero, 1, NcclApi.Byte, NcclApi.Sum, communicator, stream));
        CountToEveryPeer(CollectiveOperation.Barrier, 1);
        return End(flight);
    }

    /// <summary>Uses the host's group, which no other thread may use meanwhile.</summary>
    public ICommunicator Split(int color)
    {
        _family.ThrowIfBroken(CollectiveOperation.AllGather);
        var host = _host.Split(color);
        var members = HostMessages.Gather(host, Rank);
        var id = default(NcclUniqueId);
        if (host.Rank == 0)
        {
            NcclApi.ThrowIfFailed(NcclApi.GetUniqueId(out id), "make a unique id");
        }

        HostMessages.Broadcast(host, id);
        var worldRanks = members.Select(member => _worldRanks[member]).ToList();
        return new NcclCommunicator(_family, _family.Join(id, worldRanks), host, worldRanks, [.. members.Select(member => _scopes[member])], _sum, null);
    }

    /// <summary>In order when all work is done; with a collective on its way it is a death to the other ranks. The world's ends every split of it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (_watchdog is null)
        {
            await _family.ReleaseAsync(_handle);
            await _host.DisposeAsync();
        }
        else
        {
            await _family.ReleaseAllAsync();
            _watchdog.Dispose();
            _family.Dispose();
        }
    }

    private InFlight Begin(CollectiveOperation operation)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _family.ThrowIfBroken(operation);
        return _family.Flights.Begin(operation, _worldRanks);
    }

    private CollectiveHandle End(InFlight flight)
    {
        _family.Flights.End(flight);
        return new CollectiveHandle(_waits[(int)flight.Operation]);
    }

    private void Gather(InFlight flight, nint send, nint receive, long bytes)
    {
        if (bytes > 0)
        {
            _family.Issue(_handle, flight, (send, receive, bytes), static (state, communicator, stream) => NcclApi.AllGather(state.send, state.receive, (nuint)state.bytes, NcclApi.Byte, communicator, stream));
            CountToEveryPeer(flight.Operation, bytes);
        }
    }

    private void AllToAll(InFlight flight, nint send, nint receive, long bytes)
    {
        for (var peer = 0; peer < WorldSize; peer++)
        {
            _send[peer] = new Block(send + (nint)(peer * bytes), bytes);
            _receive[peer] = new Block(receive + (nint)(peer * bytes), bytes);
        }

        Exchange(flight);
    }

    /// <summary>Sends each peer its block and receives each peer's; the own block is copied.</summary>
    private void Exchange(InFlight flight)
    {
        var own = _receive[Rank];
        if (own.Bytes > 0 && own.At != _send[Rank].At)
        {
            CudaException.ThrowIfFailed(CudaDriver.MemcpyDeviceToDevice(own.At, _send[Rank].At, (nuint)own.Bytes, CudaStream.Current), $"copy {own.Bytes} bytes");
        }

        _send[Rank] = _receive[Rank] = default;
        if (Array.TrueForAll(_send, block => block.Bytes == 0) && Array.TrueForAll(_receive, block => block.Bytes == 0))
        {
            return;
        }

        _family.Issue(_handle, flight, this, static (self, communicator, stream) => self.SendAndReceive(communicator, stream));
        for (var peer = 0; peer < WorldSize; peer++)
        {
            Statistics.Add(flight.Operation, _scopes[peer], _send[peer].Bytes);
        }
    }

    private int SendAndReceive(nint communicator, nint stream)
    {
        var result = NcclApi.GroupStart();
        for (var distance = 1; distance < WorldSize; distance++)
        {
            var to = (Rank + distance) % WorldSize;
            if (_send[to].Bytes > 0 && result is NcclApi.Success or NcclApi.InProgress)
            {
                result = NcclApi.Send(_send[to].At, (nuint)_send[to].Bytes, NcclApi.Byte, to, communicator, stream);
            }

            var from = (Rank - distance + WorldSize) % WorldSize;
            if (_receive[from].Bytes > 0 && result is NcclApi.Success or NcclApi.InProgress)
            {
                result = NcclApi.Receive(_receive[from].At, (nuint)_receive[from].Bytes, NcclApi.Byte, from, communicator, stream);
            }
        }

        var ended = NcclApi.GroupEnd();
        return result is NcclApi.Success or NcclApi.InProgress ? ended : result;
    }

    /// <summary>Adds [world × count] values in rank order.</summary>
    private void Sum(nint blocks, nint to, long count)
    {
        if (count == 0)
        {
            return;
        }

        var bytes = count * sizeof(float);
        CudaException.ThrowIfFailed(CudaDriver.MemcpyDeviceToDevice(to, blocks, (nuint)bytes, CudaStream.Current), $"copy {bytes} bytes");
        for (var rank = 1; rank < WorldSize; rank++)
        {
            _sum(blocks + (nint)(rank * bytes), to, count);
        }
    }

    private void CountToEveryPeer(CollectiveOperation operation, long bytes)
    {
        for (var peer = 0; peer < WorldSize; peer++)
        {
            if (peer != Rank)
            {
                Statistics.Add(operation, _scopes[peer], bytes);
            }
        }
    }

    private static void Check(long size) => ArgumentOutOfRangeException.ThrowIfNegative(size);

    private readonly record struct Block(nint At, long Bytes);
}
