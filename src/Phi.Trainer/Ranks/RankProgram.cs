using System.Net;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Data;
using Phi.Trainer.Ranks.Saving;
using Phi.Trainer.Replicas;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>One rank: meets its peers, continues from the newest checkpoint, trains, saves, and tells its agent of each step.</summary>
internal sealed class RankProgram(RankReporter reporter, LeaveRequest leave, Func<ICheckpointStorage, ICheckpointStorage> wrap, bool waitsForSaves, TimeProvider time)
{
    private static readonly TimeSpan HangMargin = TimeSpan.FromSeconds(30);

    /// <summary>Reads its start from standard input and trains. The exit code is one of <see cref="RankExitCodes"/>.</summary>
    /// <param name="waitsForSaves">See <see cref="RankSaver.IsSynchronous"/>.</param>
    public static Task<int> RunAsync(bool waitsForSaves) => RunAsync(Console.Out, storage => storage, waitsForSaves);

    /// <param name="output">Takes the events.</param>
    /// <param name="wrap">What lies between this rank and the storage of its checkpoints: nothing, but in tests.</param>
    internal static async Task<int> RunAsync(TextWriter output, Func<ICheckpointStorage, ICheckpointStorage> wrap, bool waitsForSaves = false)
    {
        using var reporter = new RankReporter(output, TimeProvider.System);
        // Not disposed: the thread that listens to the agent outlives the program, and with it the process.
        var leave = new LeaveRequest(TimeProvider.System);
        var program = new RankProgram(reporter, leave, wrap, waitsForSaves, TimeProvider.System);
        var start = JsonSerializer.Deserialize<RankStart>(await Console.In.ReadLineAsync() ?? throw new InvalidOperationException("a rank is started by its agent, which tells it what to do"), PhiJson.Options)!;
        var watch = new Thread(() => WatchAgent(leave)) { IsBackground = true, Name = "agent watch" };
        watch.Start();
        return await program.GuardedAsync(start);
    }

    private static void WatchAgent(LeaveRequest leave)
    {
        while (Console.In.ReadLine() is { } line)
        {
            leave.Read(line);
        }

        // Without its agent a rank reports to nobody and would hold its peers: it ends at once.
        // Killed rather than exited: the training thread may be deep in native code.
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        self.Kill();
    }

    private async Task<int> GuardedAsync(RankStart start)
    {
        try
        {
            return await TrainAsync(start);
        }
        catch (OperationCanceledException) when (leave.IsAsked)
        {
            // Before training there is nothing to save; prepared data are on the disk already.
            return RankExitCodes.SavedAndLeft;
        }
        catch (Exception e) when (e is CollectiveException or RendezvousException)
        {
            return Fail(e.Message, RankExitCodes.PeerLost);
        }
        catch (StorageException e)
        {
            return Fail(e.Message, RankStorage.ExitCode(e.Fault));
        }
        catch (SupersededException e)
        {
            return Fail(e.Message, RankExitCodes.Superseded);
        }
        catch (Exception e) when (e is DataException or ArgumentException or CheckpointException)
        {
            return Fail(e.Message, RankExitCodes.BadInput);
        }
        catch (Exception e)
        {
            await Console.Error.WriteLineAsync(e.ToString());
            return Fail($"{e.GetType().Name}: {e.Message}", RankExitCodes.Failed);
        }
    }

    private async Task<int> TrainAsync(RankStart start)
    {
        var (assignment, spec) = (start.Assignment, start.Assignment.Spec);
        Mark(start, AttemptMark.Launched);
        using var store = RankStorage.Open(start, wrap);
        using var data = await RankData.OpenAsync(spec.Phi!, start.DataCache, Console.Error.WriteLine, leave.Token);
        spec.Phi!.Model!.VocabularySize = data.VocabularySize;
        var configuration = RankConfiguration.Of(spec, assignment.LocalWorldSize) with { SkippedBatches = assignment.SkippedBatches };
        // The operator's hang detection comes first: it knows where every rank is.
        var patience = KubernetesDuration.Parse(spec.Recovery!.HangTimeout!) + HangMargin;
        await using var group = await TcpGroup.ConnectAsync(
            new RendezvousOptions
            {
                MasterAddress = IPAddress.Parse(assignment.MasterAddress),
                MasterPort = assignment.MasterPort,
                Rank = start.Rank,
                WorldSize = assignment.WorldSize,
                NodeRank = start.NodeRank,
                RunId = start.RunId,
                Attempt = assignment.Attempt,
                BindAddress = IPAddress.Parse(start.BindAddress),
                Collectives = new CollectiveOptions { Deadline = patience },
            },
            leave.Token);
        Mark(start, AttemptMark.Joined);
        reporter.Follow(group.Statistics.Trace);
        data.Compare(group);
        await using var accelerator = await RankAccelerator.OpenAsync(spec.Accelerator!.Type!, start.Rank - assignment.FirstRank, start, Path.Combine(start.DataCache, "kernels"), group, CancellationToken.None);
        // The thread that trains may be another than the one that connected.
        accelerator.Device?.Device.EnterThread();
        if (accelerator.Device is { } device)
        {
            reporter.Follow(device.Group.Statistics.Trace, group.Statistics.Trace);
        }

        using var loop = new TrainingLoop(configuration, group, data.Training, accelerator.Device);
        using var ring = start.Replicas is null ? null : ReplicaRing.Connect(start, group, Console.Error.WriteLine);
        var match = new CheckpointMatch(configuration, data.Tokenizer, data.Digest);
        var checkpoints = new RankCheckpoints(store, ring, group, loop, start, match, spec.Checkpoint!.KeepLast!.Value, time);
        checkpoints.Load(Console.Error.WriteLine, reporter.Emit);
        var source = checkpoints.Step < 0 ? assignment.Initialize : null;
        if (source is not null)
        {
            new RankInitialization(source, start, group, loop, match, time).Load(Console.Error.WriteLine);
        }

        foreach (var (attempt, step) in checkpoints.Recall())
        {
            reporter.Emit(new RankEvent.Recalled(attempt, step));
        }

        using var saver = new RankSaver(checkpoints, group, loop, reporter.Emit, Console.Error.WriteLine, time) { IsSynchronous = waitsForSaves };
        if (source is not null)
        {
            // Later attempts continue from this, whatever becomes of the source.
            saver.SaveNow(leave);
        }

        using var replicas = ring is null ? null : new RankReplicas(ring, checkpoints, group, loop, start, Console.Error.WriteLine, time);
        Mark(start, AttemptMark.Restored);
        reporter.Emit(new RankEvent.Training(loop.CompletedSteps, checkpoints.Replica is not null));
        return new RankTraining(loop, group, checkpoints, saver, replicas, start, data.HeldOut, leave, reporter.Emit, time).Run();
    }

    private void Mark(RankStart start, string name)
    {
        if (start.Rank == 0)
        {
            reporter.Emit(new RankEvent.Reached(new AttemptMark(name, time.GetUtcNow())));
        }
    }

    private int Fail(string message, int code)
    {
        Console.Error.WriteLine(message);
        reporter.Emit(new RankEvent.Failed(message));
        return code;
    }
}
