using System.Net;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Stores;
using Phi.Trainer.Ranks;
using Phi.Trainer.Replicas;
using Phi.Trainer.Tests.Saving;

namespace Phi.Trainer.Tests.Replicas;

/// <summary>Pods that keep copies, each with the server of an agent, and attempts of a job whose ranks are processes.</summary>
internal sealed class ReplicaGang : IAsyncDisposable
{
    public const int Local = 2;
    private readonly List<ReplicaServer> _servers = [];
    private readonly List<string> _folders = [];

    private ReplicaGang(string root) => Root = root;

    public string Root { get; }

    public int Pods => _servers.Count;

    public CheckpointStore Store => CheckpointStore.InFolder(Path.Combine(Root, "run"));

    public static async Task<ReplicaGang> StartAsync(int pods)
    {
        var gang = new ReplicaGang(Directory.CreateTempSubdirectory("phi replicas ").FullName);
        for (var pod = 0; pod < pods; pod++)
        {
            await gang.AddAsync();
        }

        return gang;
    }

    /// <summary>A new pod of that index takes the place of the old one, whose memory is gone.</summary>
    public async Task ReplaceAsync(int pod)
    {
        await RemoveAsync(pod);
        await AddAsync(pod);
    }

    /// <summary>The pod and its memory are gone.</summary>
    public async Task RemoveAsync(int pod)
    {
        await _servers[pod].DisposeAsync();
        Directory.Delete(_folders[pod], recursive: true);
        _servers.RemoveAt(pod);
        _folders.RemoveAt(pod);
    }

    public ReplicaServer Server(int pod) => _servers[pod];

    public string Folder(int pod) => _folders[pod];

    /// <param name="copied">Steps between copies.</param>
    /// <param name="saved">Steps between checkpoints.</param>
    /// <param name="keyless">The pod that was given no key.</param>
    public RankAttempt Attempt(int number, long steps, long copied = 1, long saved = 1_000_000, int stage = 3, int stopping = -1, long step = 0, int keyless = -1)
    {
        var spec = RankAttempt.Spec(Root, Local, steps, batch: 4, given =>
        {
            given.Checkpoint!.EverySteps = saved;
            given.Checkpoint.InMemory = new InMemorySpec { EverySteps = copied };
            given.Zero!.Stage = stage;
        });
        foreach (var (pod, server) in _servers.Index())
        {
            server.Serve(number, pod == keyless ? null : RankStarts.PeerKey(number));
        }

        return new RankAttempt(Root, number, spec, [.. _servers.Zip(_folders, (server, folder) => new ReplicaStart(folder, server.Address))], stopping, SavePoint.BeforeSnapshot, step, keyless: keyless);
    }

    /// <summary>Whole copies in the memories that are left, the newest first.</summary>
    public IReadOnlyList<ReplicaCheckpoint> Whole() => ReplicaCheckpoint.Of("run", _folders.Select((folder, pod) => (pod, (IReadOnlyList<ReplicaPart>)new ReplicaFolder(folder).Parts())));

    /// <summary>The first step, not before <paramref name="least"/>, whose every shard is in so many pods; fails if a rank ends before.</summary>
    public async Task<long> WaitForCopiesAsync(RankAttempt attempt, long least, int holders)
    {
        while (true)
        {
            if (Whole().FirstOrDefault(whole => whole.Manifest.Step >= least && whole.Holders.All(pods => pods.Count == holders)) is { } found)
            {
                return found.Manifest.Step;
            }

            attempt.ThrowIfEnded("the copies were whole");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>By step, to the last bit.</summary>
    public static IReadOnlyDictionary<long, long> Losses(IEnumerable<RankEvent> events) =>
        events.OfType<RankEvent.Stepped>().ToDictionary(stepped => stepped.Step.Step, stepped => BitConverter.DoubleToInt64Bits(stepped.Step.Metrics["loss"]));

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        _folders.ForEach(folder => Directory.Delete(folder, recursive: true));
        Directory.Delete(Root, recursive: true);
    }

    private async Task AddAsync(int? pod = null)
    {
        var folder = Directory.CreateTempSubdirectory("phi memory ").FullName;
        _servers.Insert(pod ?? _servers.Count, await ReplicaServer.StartAsync(folder, IPAddress.Loopback));
        _folders.Insert(pod ?? _folders.Count, folder);
    }
}
