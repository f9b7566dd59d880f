using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Data.Tokenizers;
using Phi.Trainer.Ranks;
using Phi.Trainer.Ranks.Saving;
using Phi.Training.Data;
using Phi.Training.Loop;

namespace Phi.Trainer.Tests.Saving;

/// <summary>One attempt whose ranks are threads, from its first step to its end. A test hears of every event and of every moment of the storage, and holds up what it likes.</summary>
internal sealed class SavingRun(string root)
{
    /// <summary>Nothing that a test waits for takes so long unless it is broken.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly List<(int Rank, RankEvent Event)> _events = [];
    private readonly List<(int Rank, StorageMoment Moment, string Name)> _moments = [];

    public int World { get; init; } = 2;

    public int Steps { get; init; } = 6;

    public CheckpointSpec Checkpoint { get; init; } = new() { EverySteps = 2, KeepLast = 10, OnPreemption = true };

    public DivergenceSpec Divergence { get; init; } = new() { Action = "Stop", Window = 50 };

    /// <summary>The clock of each rank.</summary>
    public Func<int, TimeProvider> Time { get; init; } = _ => TimeProvider.System;

    /// <summary>Called on the thread that works; may wait, or throw.</summary>
    public Action<int, StorageMoment, string> OnStorage { get; init; } = (_, _, _) => { };

    /// <summary>Called on the thread that emits; may wait.</summary>
    public Action<int, RankEvent> OnEvent { get; init; } = (_, _) => { };

    /// <summary>Of each rank, while it runs.</summary>
    public LeaveRequest[] Leave { get; private set; } = [];

    public Thread[] Threads { get; private set; } = [];

    public IReadOnlyList<Exception?> Failures { get; private set; } = [];

    public IReadOnlyList<(int Rank, RankEvent Event)> Events => _events;

    public IReadOnlyList<(int Rank, StorageMoment Moment, string Name)> Moments => _moments;

    public IEnumerable<CheckpointEvent> Saved => _events.Select(item => item.Event).OfType<RankEvent.Saved>().Select(saved => saved.Checkpoint);

    public IEnumerable<(int Rank, MissedCheckpoint Checkpoint)> Missed => _events.Where(item => item.Event is RankEvent.Missed).Select(item => (item.Rank, ((RankEvent.Missed)item.Event).Checkpoint));

    public IReadOnlyList<long> Committed => CheckpointStore.InFolder(root).CommittedSteps();

    public static void Wait(ManualResetEventSlim signal)
    {
        if (!signal.Wait(Patience))
        {
            throw new TimeoutException("what the test waits for does not come");
        }
    }

    public static bool IsShard(string name, long step, int rank) => name.StartsWith($"step-{step:D8}/shard-{rank:D5}-", StringComparison.Ordinal) && name.EndsWith(".safetensors", StringComparison.Ordinal);

    public static bool IsManifest(string name, long step) => name == $"step-{step:D8}/manifest.json";

    /// <summary>The exit codes; null of a rank that threw.</summary>
    public int?[] Run(int attempt = 1)
    {
        Leave = [.. Enumerable.Range(0, World).Select(rank => new LeaveRequest(Time(rank)))];
        var codes = new int?[World];
        var failures = new Exception?[World];
        Threads = [.. InProcessGroup.Create(World).Select((group, rank) => new Thread(() =>
        {
            try
            {
                codes[rank] = Train(group, attempt);
            }
            catch (Exception e)
            {
                failures[rank] = e;
                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        }))];
        Array.ForEach(Threads, thread => thread.Start());
        Array.ForEach(Threads, thread => thread.Join());
        Failures = failures;
        return codes;
    }

    private int Train(ICommunicator group, int attempt)
    {
        var (rank, configuration, time) = (group.Rank, ElasticRun.Configuration, Time(group.Rank));
        using var loop = new TrainingLoop(configuration, group, new TokenDataset(new RecordedTokens()));
        using var store = new CheckpointStore(new SteppedStorage(new FolderStorage(root), (moment, name) =>
        {
            lock (_moments)
            {
                _moments.Add((rank, moment, name));
            }

            OnStorage(rank, moment, name);
        }));
        var start = RankStarts.Of(rank, World, attempt);
        start = start with
        {
            Assignment = start.Assignment with
            {
                Spec = new TrainingJobSpec { Phi = new PhiSpec { Steps = Steps }, Checkpoint = Checkpoint, Recovery = new RecoverySpec { Divergence = Divergence } },
            },
        };
        var checkpoints = new RankCheckpoints(store, null, group, loop, start, new CheckpointMatch(configuration, TokenizerFiles.Bytes, "data"), Checkpoint.KeepLast!.Value, time);
        checkpoints.Load(_ => { });
        using var saver = new RankSaver(checkpoints, group, loop, Emit, _ => { }, time);
        return new RankTraining(loop, group, checkpoints, saver, null, start, null, Leave[rank], Emit, time).Run();

        void Emit(RankEvent value)
        {
            lock (_events)
            {
                _events.Add((rank, value));
            }

            OnEvent(rank, value);
        }
    }
}
