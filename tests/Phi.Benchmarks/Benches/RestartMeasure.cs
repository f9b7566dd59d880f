using System.Diagnostics;
using System.Net;
using Phi.Api.TrainingJobs;
using Phi.Azurite;
using Phi.Benchmarks.Reports;
using Phi.Trainer.Ranks;
using Phi.Trainer.Replicas;

namespace Phi.Benchmarks.Benches;

/// <summary>
/// How soon a gang that lost a pod trains again: ranks as the product runs them, from their start to the first step that is new, with copies
/// in the memory of the pod that is left, and from the store. Both go on from the same step; they take turns.
/// </summary>
internal sealed class RestartMeasure : IAsyncDisposable
{
    private const int Pods = 2;
    private const int PerPod = 2;
    /// <summary>The next one is far enough away for this one to be everywhere before.</summary>
    private const int SavedStep = 10;
    private readonly string _folder = Directory.CreateTempSubdirectory("phi bench restart ").FullName;
    private readonly string _memory = Path.Combine(MemoryRoot(), $"phi-bench-{Guid.NewGuid():N}");
    private readonly CheckpointStoreSpec _store;
    private readonly string? _connectionString;
    private readonly ReplicaServer?[] _pods = new ReplicaServer?[Pods];
    private int _attempt;

    /// <param name="connectionString">Of the account of blobs; null for a folder.</param>
    private RestartMeasure(CheckpointStoreSpec store, string? connectionString) => (_store, _connectionString) = (store, connectionString);

    /// <summary>Beside a folder, and beside Azurite.</summary>
    public static async Task<IReadOnlyList<Metric>> RunAsync(int rounds)
    {
        using var azurite = new AzuriteServer();
        var container = azurite.NewContainer().Name;
        return
        [
            .. await RunAsync("folder store", new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "run" } }, null, rounds),
            .. await RunAsync("Azurite", new CheckpointStoreSpec { AzureBlob = new AzureBlobStoreSpec { Account = AzuriteServer.Account, Container = container, Prefix = "run", Endpoint = azurite.Service.AbsoluteUri } }, azurite.ConnectionString, rounds),
        ];
    }

    /// <param name="name">Of the store, as the rows name it.</param>
    private static async Task<IReadOnlyList<Metric>> RunAsync(string name, CheckpointStoreSpec store, string? connectionString, int rounds)
    {
        await using var measure = new RestartMeasure(store, connectionString);
        var bytes = await measure.PrepareAsync();
        var (copied, loaded) = (new List<double>(), new List<double>());
        for (var round = 1; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"restart from memory and from {name}, round {round} of {rounds} …");
            copied.Add(await measure.RestartAsync(fromMemory: true));
            loaded.Add(await measure.RestartAsync(fromMemory: false));
        }

        return
        [
            new Metric($"checkpoint that an attempt begins with ({name})", bytes / 1e6, "MB"),
            new Metric($"attempt start to first step, in-memory replicas (beside {name})", Median(copied), "s"),
            new Metric($"attempt start to first step, {name}", Median(loaded), "s"),
        ];

        double Median(List<double> of) => of.Order().ElementAt(rounds / 2);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var pod in _pods.OfType<ReplicaServer>())
        {
            await pod.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
        Directory.Delete(_memory, recursive: true);
    }

    private static string MemoryRoot() => Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();

    /// <summary>An attempt that is killed once a step is in the store and, whole, in both pods' memories. Returns the checkpoint's bytes.</summary>
    private async Task<long> PrepareAsync()
    {
        await ReplaceAsync(0);
        await ReplaceAsync(1);
        using var ranks = Start(hasCopies: true);
        var saved = (RankEvent.Saved)await ranks.WaitAsync(told => told is RankEvent.Saved);
        while (!Holds(0) || !Holds(1))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }

        return saved.Checkpoint.Bytes;

        bool Holds(int pod)
        {
            using var folder = new ReplicaFolder(Memory(pod));
            return folder.Parts().Count(part => part.Manifest.Step == SavedStep) == Pods * PerPod;
        }
    }

    private async Task<double> RestartAsync(bool fromMemory)
    {
        await ReplaceAsync(1);
        var started = Stopwatch.GetTimestamp();
        using var ranks = Start(fromMemory);
        var training = (RankEvent.Training)await ranks.WaitAsync(told => told is RankEvent.Training);
        if (training != new RankEvent.Training(SavedStep, fromMemory))
        {
            throw new BenchException($"the attempt was to go on from step {SavedStep}{(fromMemory ? " in memory" : "")}, and says {training}");
        }

        await ranks.WaitAsync(told => told is RankEvent.Stepped { Step.Step: SavedStep + 1 });
        return Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private string Memory(int pod) => Path.Combine(_memory, $"pod-{pod}");

    /// <summary>A new pod, whose memory is empty.</summary>
    private async Task ReplaceAsync(int pod)
    {
        await (_pods[pod]?.DisposeAsync() ?? ValueTask.CompletedTask);
        if (Directory.Exists(Memory(pod)))
        {
            Directory.Delete(Memory(pod), recursive: true);
        }

        Directory.CreateDirectory(Memory(pod));
        _pods[pod] = await ReplicaServer.StartAsync(Memory(pod), IPAddress.Loopback);
    }

    private TrainerRanks Start(bool hasCopies)
    {
        _attempt++;
        foreach (var pod in _pods)
        {
            pod?.Serve(_attempt, TrainerRanks.PeerKey(_attempt));
        }

        var spec = SavingCost.Sample(new CheckpointSpec { EverySteps = SavedStep, Store = _store, InMemory = hasCopies ? new InMemorySpec { EverySteps = SavedStep } : null });
        return new TrainerRanks(spec, _attempt, _folder, _connectionString, pod => hasCopies ? new ReplicaStart(Memory(pod), _pods[pod]!.Address) : null);
    }
}
