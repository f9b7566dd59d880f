using System.Diagnostics;
using System.Runtime.InteropServices;
using Phi.Collectives;

namespace Phi.Benchmarks.Workers;

/// <summary>
/// One rank that measures every collective at every size, over any transport. A figure is the best of three rounds; a round is between two
/// barriers, and has as many calls as rank 0 thinks fit. Buffers are zeros, so that sums stay finite.
/// </summary>
internal sealed unsafe class CollectiveRank : IDisposable
{
    public const string Memcpy = "memcpy";
    private const int Rounds = 3;
    private const int MostCalls = 2000;
    private readonly ICommunicator _group;
    private readonly CollectiveConfiguration _configuration;
    private readonly byte* _send;
    private readonly byte* _receive;

    private CollectiveRank(ICommunicator group, CollectiveConfiguration configuration)
    {
        (_group, _configuration) = (group, configuration);
        _send = Allocate(configuration.Sizes.Max());
        _receive = Allocate(configuration.Sizes.Max());
    }

    /// <summary>On the calling thread, from first to last. Collective.</summary>
    public static IReadOnlyList<CollectiveFigure> Measure(ICommunicator group, CollectiveConfiguration configuration)
    {
        using var rank = new CollectiveRank(group, configuration);
        return [.. configuration.Sizes.SelectMany(rank.Figures)];
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_send);
        NativeMemory.AlignedFree(_receive);
    }

    private IEnumerable<CollectiveFigure> Figures(long size)
    {
        var block = size / _group.WorldSize;
        var others = size - block;
        (string Name, long Received, Action Call)[] calls =
        [
            ("all-gather", others, () => _group.AllGather((nint)_send, (nint)_receive, block).Wait()),
            ("reduce-scatter", others, () => _group.ReduceScatter((nint)_send, (nint)_receive, block / sizeof(float)).Wait()),
            ("all-to-all", others, () => _group.AllToAll((nint)_send, (nint)_receive, block).Wait()),
            ("all-reduce", 2 * others, () => _group.AllReduce((nint)_send, size / sizeof(float)).Wait()),
            ("broadcast", size, () => _group.Broadcast((nint)_send, size, 0).Wait()),
            (Memcpy, others, () => Buffer.MemoryCopy(_send, _receive, others, others)),
        ];
        return calls.Select(call => new CollectiveFigure(call.Name, size, call.Received / Seconds(call.Call) / 1e9));
    }

    /// <summary>Of one call, in the best round.</summary>
    private double Seconds(Action call)
    {
        Round(call, 1);
        var count = AsRankZero((long)Math.Clamp(_configuration.RoundSeconds / Round(call, 1), 1, MostCalls));
        return Enumerable.Range(0, Rounds).Min(_ => Round(call, count)) / count;
    }

    private long AsRankZero(long count)
    {
        _group.Broadcast((nint)(&count), sizeof(long), 0).Wait();
        return count;
    }

    private double Round(Action call, long count)
    {
        _group.Barrier().Wait();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0L; i < count; i++)
        {
            call();
        }

        _group.Barrier().Wait();
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static byte* Allocate(long bytes)
    {
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(memory, (nuint)bytes);
        return memory;
    }
}
