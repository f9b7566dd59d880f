using System.Net;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Data;
using Phi.Training.Data;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>One rank: meets its peers, continues from the newest checkpoint, trains, saves, and tells its agent of each step.</summary>
internal sealed class RankProgram(RankReporter reporter, TimeProvider time)
{
    /// <summary>Windows of held-out text whose mean loss is reported at each checkpoint.</summary>
    private const int EvaluationSamples = 64;

    private static readonly TimeSpan HangMargin = TimeSpan.FromSeconds(30);

    /// <summary>For as long as the process lives, which is one rank: the thread that watches the agent outlives the program.</summary>
    private static readonly CancellationTokenSource Leaving = new();

    /// <summary>Reads its start from standard input and trains. The exit code is one of <see cref="RankExitCodes"/>.</summary>
    public static async Task<int> RunAsync()
    {
        using var reporter = new RankReporter(Console.Out, TimeProvider.System);
        var program = new RankProgram(reporter, TimeProvider.System);
        var start = JsonSerializer.Deserialize<RankStart>(await Console.In.ReadLineAsync() ?? throw new InvalidOperationException("a rank is started by its agent, which tells it what to do"), PhiJson.Options)!;
        var watch = new Thread(WatchAgent) { IsBackground = true, Name = "agent watch" };
        watch.Start();
        return await program.GuardedAsync(start);
    }

    private static void WatchAgent()
    {
        while (Console.In.ReadLine() is { } line)
        {
            if (line == "stop")
            {
                Leaving.Cancel();
            }
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
        catch (OperationCanceledException) when (Leaving.IsCancellationRequested)
        {
            // Before training there is nothing to save; prepared data are on the disk already.
            return RankExitCodes.SavedAndLeft;
        }
        catch (Exception e) when (e is CollectiveException or RendezvousException)
        {
            return Fail(e.Message, RankExitCodes.PeerLost);
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
        using var data = await RankData.OpenAsync(spec.Phi!, start.DataCache, Console.Error.WriteLine, Leaving.Token);
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
            Leaving.Token);
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
        var folder = Path.Combine(start.CheckpointRoot, spec.Checkpoint!.Store!.Folder!.Path!);
        using var store = CheckpointStore.InFolder(folder);
        var match = new CheckpointMatch(configuration, data.Tokenizer, data.Digest);
        var checkpoints = new RankCheckpoints(store, group, loop, start, match, time);
        checkpoints.Load(Console.Error.WriteLine);
        if (checkpoints.Step < 0 && assignment.Initialize is { } source)
        {
            new RankInitialization(source, start, group, loop, match, time).Load(Console.Error.WriteLine);
            // Later attempts continue from this, whatever becomes of the source.
            Save(checkpoints, spec.Checkpoint.KeepLast!.Value);
        }

        foreach (var (attempt, step) in checkpoints.Recall())
        {
            reporter.Emit(new RankEvent.Recalled(attempt, step));
        }

        reporter.Emit(new RankEvent.Training(loop.CompletedSteps));
        return Loop(loop, group, checkpoints, start, data.HeldOut);
    }

    private int Loop(TrainingLoop loop, ICommunicator group, RankCheckpoints checkpoints, RankStart start, TokenDataset? heldOut)
    {
        var spec = start.Assignment.Spec;
        var (total, every, keepLast) = (spec.Phi!.Steps!.Value, spec.Checkpoint!.EverySteps!.Value, spec.Checkpoint.KeepLast!.Value);
        var traffic = new TrafficMetrics(loop);
        var guard = new DivergenceGuard(spec.Recovery!.Divergence!);
        while (loop.CompletedSteps < total)
        {
            traffic.Skip();
            var step = loop.Step();
            var metrics = Describe(step, start.Rank, loop);
            traffic.AddTo(metrics);
            var isCheckpoint = step.Step % every == 0 || step.Step == total;
            if (isCheckpoint && heldOut is not null && loop.Evaluate(heldOut, EvaluationSamples) is var loss && start.Rank == 0)
            {
                metrics["eval_loss"] = loss;
            }

            var told = new StepEvent { Rank = start.Rank, Step = step.Step, Time = time.GetUtcNow(), Metrics = metrics };
            checkpoints.History.Add(start.Assignment.Attempt, told);
            reporter.Emit(new RankEvent.Stepped(told));
            if (guard.Check(step, loop.IsLossScaled) is { } problem)
            {
                // Nothing of this step is saved.
                reporter.Emit(new RankEvent.Diverged(step.Batch, problem));
                return RankExitCodes.Diverged;
            }

            var isLeaving = AgreeToLeave(group);
            if (isCheckpoint || (isLeaving && spec.Checkpoint.OnPreemption == true))
            {
                Save(checkpoints, keepLast);
            }

            if (isLeaving && step.Step < total)
            {
                return RankExitCodes.SavedAndLeft;
            }
        }

        if (checkpoints.Step < loop.CompletedSteps)
        {
            Save(checkpoints, keepLast);
        }

        return RankExitCodes.Completed;
    }

    private void Save(RankCheckpoints checkpoints, int keepLast)
    {
        if (checkpoints.Save(keepLast) is { } saved)
        {
            reporter.Emit(new RankEvent.Saved(saved));
        }
    }

    /// <summary>One rank that was asked is enough: all leave at the same step.</summary>
    private static unsafe bool AgreeToLeave(ICommunicator group)
    {
        var asked = Leaving.IsCancellationRequested ? 1f : 0f;
        group.AllReduce((nint)(&asked), 1).Wait();
        return asked > 0;
    }

    /// <summary>What is the same on all ranks is told by rank 0 alone.</summary>
    private static Dictionary<string, double> Describe(StepResult step, int rank, TrainingLoop loop)
    {
        var metrics = new Dictionary<string, double> { ["step_seconds"] = step.Seconds, ["busy_seconds"] = step.Seconds - step.WaitSeconds };
        if (rank == 0)
        {
            metrics["loss"] = step.Loss;
            metrics["learning_rate"] = step.LearningRate;
            metrics["grad_norm"] = step.GradientNorm;
            metrics["tokens"] = (double)step.Step * step.Tokens;
            metrics["tokens_per_second"] = step.Tokens / step.Seconds;
            if (loop.IsLossScaled)
            {
                metrics["loss_scale"] = loop.LossScale;
            }
        }

        return metrics;
    }

    private int Fail(string message, int code)
    {
        Console.Error.WriteLine(message);
        reporter.Emit(new RankEvent.Failed(message));
        return code;
    }
}
