using System.Net;
using System.Numerics.Tensors;
using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Nccl;

/// <summary>Ranks as threads with a device of the stand-in each; the first half of them is node 0.</summary>
internal sealed class GpuWorld : IAsyncDisposable
{
    private readonly List<CudaContext> _contexts;
    private readonly IReadOnlyList<ICommunicator> _hosts;

    // Ranks that wait for each other need a thread each.
    static GpuWorld() => ThreadPool.SetMinThreads(64, 64);

    private GpuWorld(List<CudaContext> contexts, IReadOnlyList<ICommunicator> hosts) => (_contexts, _hosts) = (contexts, hosts);

    public IReadOnlyList<ICommunicator> Groups { get; private set; } = [];

    public static async Task<GpuWorld> CreateAsync(int worldSize, bool isStaged = false, CollectiveOptions? options = null)
    {
        var hosts = isStaged ? await World.CreateAsync(World.Transport.TwoNodes, worldSize, options) : InProcessGroup.Create(worldSize, options);
        var world = new GpuWorld(Open(worldSize), hosts);
        world.Groups = isStaged
            ? [.. hosts.Select(host => new StagedCommunicator(host))]
            : await Task.WhenAll(Enumerable.Range(0, worldSize).Select(rank => ConnectAsync(hosts[rank], world._contexts[rank], options)));
        return world;
    }

    public static Task<ICommunicator> ConnectAsync(ICommunicator host, CudaContext context, CollectiveOptions? options = null) =>
        Task.Run(() => NcclGroup.ConnectAsync(host, context, Add, Options(host, options), CancellationToken.None));

    public static List<CudaContext> Open(int worldSize)
    {
        StandInLibraries.Use();
        return [.. Enumerable.Range(0, worldSize).Select(rank => new CudaContext(rank))];
    }

    public static NcclOptions Options(ICommunicator host, CollectiveOptions? options) => new()
    {
        NodeRank = host.Rank * 2 / host.WorldSize,
        BindAddress = IPAddress.Loopback,
        Poll = TimeSpan.FromMilliseconds(2),
        Collectives = options ?? new CollectiveOptions(),
    };

    /// <summary>Runs each rank's body on a thread with the rank's device and a stream of its own current.</summary>
    public T[] Run<T>(Func<ICommunicator, T> body) => Run(Enumerable.Range(0, Groups.Count), body);

    public T OnDevice<T>(int rank, Func<ICommunicator, T> body) => Run([rank], body)[0];

    private T[] Run<T>(IEnumerable<int> ranks, Func<ICommunicator, T> body)
    {
        int[] chosen = [.. ranks];
        return World.OnThreads(chosen.Length, i =>
        {
            _contexts[chosen[i]].MakeCurrent();
            using var stream = new CudaStream();
            stream.MakeCurrent();
            return body(Groups[chosen[i]]);
        });
    }

    public async ValueTask DisposeAsync()
    {
        _contexts.FirstOrDefault()?.MakeCurrent();
        foreach (var group in Groups.Concat(_hosts))
        {
            await group.DisposeAsync();
        }

        foreach (var context in _contexts)
        {
            context.Dispose();
        }

        Assert.Equal("", StandInNccl.TakeViolations());
    }

    private static unsafe void Add(nint values, nint sums, long count) => StandInDriver.Enqueue(CudaStream.Current, () =>
    {
        var sum = new Span<float>((void*)sums, (int)count);
        TensorPrimitives.Add(sum, new ReadOnlySpan<float>((void*)values, (int)count), sum);
    });
}
