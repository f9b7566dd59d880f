using System.Text;
using Microsoft.Extensions.Time.Testing;
using Phi.Api.Agent;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>Training goes on while a save is written; what is saved is the step's all the same.</summary>
[Collection("torch")]
public sealed class AsynchronousSaveTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi saving ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Run_WhileAllShardsAreHeldUp_TrainsOnAndSavesTheStepsOwnValues()
    {
        var calm = new SavingRun(Folder("calm")) { World = 3 };
        Assert.All(calm.Run(), code => Assert.Equal(RankExitCodes.Completed, code));
        using var next = new ManualResetEventSlim();
        var run = new SavingRun(Folder("held"))
        {
            World = 3,
            OnStorage = (rank, moment, name) =>
            {
                if (moment == StorageMoment.WriteBegins && SavingRun.IsShard(name, 2, rank))
                {
                    // Every rank has updated its weights again before any of them writes.
                    SavingRun.Wait(next);
                }
            },
            OnEvent = (rank, value) =>
            {
                if (rank == 0 && value is RankEvent.Stepped { Step.Step: 3 })
                {
                    next.Set();
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.Completed, code));

        Assert.Equal([6, 4, 2], run.Committed);
        foreach (var step in run.Committed)
        {
            Assert.Equal(Digests("calm", step), Digests("held", step));
        }

        var lines = Encoding.UTF8.GetString(CheckpointStore.InFolder(Folder("held")).TryReadFile(2, StepHistory.File)!);
        Assert.Equal(2, lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void Run_NextSaveDueBeforeTheLastIsCommitted_WaitsAndCountsItAsStall()
    {
        var time = new FakeTimeProvider();
        using var due = new ManualResetEventSlim();
        SavingRun run = null!;
        run = new SavingRun(Folder("run"))
        {
            Steps = 2,
            Checkpoint = new() { EverySteps = 1, KeepLast = 10 },
            Time = _ => time,
            OnStorage = (rank, moment, name) =>
            {
                if (moment == StorageMoment.CommitBegins && SavingRun.IsManifest(name, 1))
                {
                    SavingRun.Wait(due);
                    Assert.True(SpinWait.SpinUntil(() => run.Threads[0].ThreadState.HasFlag(ThreadState.WaitSleepJoin), TimeSpan.FromMinutes(1)));
                    time.Advance(TimeSpan.FromSeconds(60));
                }
            },
            OnEvent = (rank, value) =>
            {
                if (rank == 0 && value is RankEvent.Stepped { Step.Step: 2 })
                {
                    due.Set();
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.Completed, code));

        Assert.Equal([(1, 60.0, 60.0), (2, 0.0, 0.0)], run.Saved.Select(saved => (saved.Step, saved.StallSeconds, saved.Seconds)));
        Assert.True(IndexOf(run, value => value is RankEvent.Stepped { Step.Step: 2 }) < IndexOf(run, value => value is RankEvent.Saved { Checkpoint.Step: 1 }));
    }

    [Fact]
    public void Run_TrainingGoesOnDuringAWholeSave_IsNoStall()
    {
        var time = new FakeTimeProvider();
        using var next = new ManualResetEventSlim();
        using var saved = new ManualResetEventSlim();
        var run = new SavingRun(Folder("run"))
        {
            Steps = 8,
            Checkpoint = new() { EverySteps = 4, KeepLast = 10 },
            Time = _ => time,
            OnStorage = (rank, moment, name) =>
            {
                if (rank == 0 && moment == StorageMoment.WriteBegins && SavingRun.IsShard(name, 4, 0))
                {
                    SavingRun.Wait(next);
                    time.Advance(TimeSpan.FromSeconds(7));
                }
            },
            OnEvent = (rank, value) =>
            {
                if (rank == 0 && value is RankEvent.Stepped { Step.Step: 5 })
                {
                    next.Set();
                }
                else if (rank == 0 && value is RankEvent.Saved { Checkpoint.Step: 4 })
                {
                    saved.Set();
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.Completed, code));

        Assert.Equal((7.0, 0.0), run.Saved.Where(checkpoint => checkpoint.Step == 4).Select(checkpoint => (checkpoint.Seconds, checkpoint.StallSeconds)).Single());
    }

    [Theory]
    [InlineData(1, StorageMoment.WriteBegins)]
    [InlineData(1, StorageMoment.WriteGoesOn)]
    [InlineData(0, StorageMoment.CommitBegins)]
    public void Run_StorageFailsOnce_TellsItAndSavesTheNext(int failing, StorageMoment at)
    {
        var run = new SavingRun(Folder("run"))
        {
            OnStorage = (rank, moment, name) => FailAt(rank == failing && moment == at && name.StartsWith("step-00000002/", StringComparison.Ordinal)),
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.Completed, code));

        var (told, missed) = Assert.Single(run.Missed);
        Assert.Equal((failing, 2, MissedCheckpoint.StorageFailed, "the disk is full"), (told, missed.Step, missed.Reason, missed.Message));
        Assert.Equal([6, 4], run.Committed);
    }

    [Fact]
    public void Run_StorageFailsAlways_TrainsToTheLastStepAndThenEndsWithAnError()
    {
        var run = new SavingRun(Folder("run")) { OnStorage = (rank, moment, _) => FailAt(rank == 1 && moment == StorageMoment.WriteBegins) };

        Assert.All(run.Run(), code => Assert.Null(code));

        Assert.Equal([2, 4, 6, 6], run.Missed.Select(missed => missed.Checkpoint.Step));
        Assert.Equal(6, run.Events.Count(item => item is (0, RankEvent.Stepped)));
        Assert.All(run.Failures, failure => Assert.Contains("step 6 must be saved before the ranks leave", Assert.IsType<StorageException>(failure).Message, StringComparison.Ordinal));
        Assert.Empty(run.Committed);
    }

    [Fact]
    public void Run_LastSaveFailsOnce_IsTriedAgain()
    {
        var isFirst = true;
        var run = new SavingRun(Folder("run"))
        {
            OnStorage = (rank, moment, name) =>
            {
                if (moment == StorageMoment.CommitBegins && SavingRun.IsManifest(name, 6) && isFirst)
                {
                    isFirst = false;
                    FailAt(true);
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.Completed, code));

        Assert.Equal([6, 4, 2], run.Committed);
        Assert.Equal([6], run.Missed.Select(missed => missed.Checkpoint.Step));
    }

    [Fact]
    public void Run_NewerAttemptBegins_EndsWithoutItsCommit()
    {
        var run = new SavingRun(Folder("run"))
        {
            OnStorage = (_, moment, name) =>
            {
                if (moment == StorageMoment.CommitBegins && SavingRun.IsManifest(name, 4))
                {
                    CheckpointStore.InFolder(Folder("run")).Begin("run", 2);
                }
            },
        };

        run.Run();

        Assert.IsType<SupersededException>(run.Failures[0]);
        Assert.Equal([2], run.Committed);
    }

    [Fact]
    public void Run_LossDivergesWhileASaveIsInFlight_FinishesThatAndSavesNothingOfTheStep()
    {
        using var diverged = new ManualResetEventSlim();
        var run = new SavingRun(Folder("run"))
        {
            Steps = 10,
            Checkpoint = new() { EverySteps = 5, KeepLast = 10 },
            // No loss of the sixth step stays below half of the median of those before.
            Divergence = new() { Action = "Stop", Window = 50, SpikeFactor = 0.5 },
            OnStorage = (_, moment, name) =>
            {
                if (moment == StorageMoment.CommitBegins && SavingRun.IsManifest(name, 5))
                {
                    SavingRun.Wait(diverged);
                }
            },
            OnEvent = (rank, value) =>
            {
                if (rank == 0 && value is RankEvent.Stepped { Step.Step: 6 })
                {
                    diverged.Set();
                }
            },
        };

        Assert.All(run.Run(), code => Assert.Equal(RankExitCodes.Diverged, code));

        Assert.Equal([5], run.Committed);
        Assert.DoesNotContain(run.Moments, moment => moment.Name.StartsWith("step-00000006/", StringComparison.Ordinal));
    }

    private static void FailAt(bool isIt)
    {
        if (isIt)
        {
            throw new StorageException("the disk is full");
        }
    }

    private static int IndexOf(SavingRun run, Predicate<RankEvent> isIt) => run.Events.Select(item => item.Event).ToList().FindIndex(isIt);

    private IEnumerable<string> Digests(string folder, long step) => CheckpointStore.InFolder(Folder(folder)).ReadManifest(step).Shards.Select(shard => shard.Sha256);

    private string Folder(string name) => Path.Combine(_root, name);
}
