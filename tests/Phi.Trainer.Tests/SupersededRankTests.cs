using System.Diagnostics;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Stores;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests;

/// <summary>Two attempts of a run as processes on one checkpoint folder.</summary>
public sealed class SupersededRankTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("phi superseded ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Rank_WhoseAttemptIsSuperseded_EndsWithItsCodeAndTheNewerGoesOnFromWhatItHad()
    {
        var store = CheckpointStore.InFolder(Path.Combine(_root, "run"));
        using var stale = Start(attempt: 1, steps: 1_000_000);
        await WaitForAsync<RankEvent.Saved>(stale);

        store.Begin("run", 2);
        var found = store.CommittedSteps();
        var failed = await WaitForAsync<RankEvent.Failed>(stale);
        await stale.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(RankExitCodes.Superseded, stale.ExitCode);
        Assert.Contains("attempt 1 of run run is superseded by attempt 2", failed.Message, StringComparison.Ordinal);
        Assert.Equal(found, store.CommittedSteps());
        using var newer = Start(attempt: 2, steps: found[0] + 1);
        Assert.Equal(found[0], (await WaitForAsync<RankEvent.Training>(newer)).FromStep);
        await WaitForAsync<RankEvent.Saved>(newer);
        await newer.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((RankExitCodes.Completed, found[0] + 1), (newer.ExitCode, store.CommittedSteps()[0]));
    }

    /// <summary>The next event of the kind; fails if the rank ends without one.</summary>
    private static async Task<T> WaitForAsync<T>(Process rank)
        where T : RankEvent
    {
        while (await rank.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.StartsWith('{') && JsonSerializer.Deserialize<RankEvent>(line, PhiJson.Options) is T found)
            {
                return found;
            }
        }

        throw new InvalidOperationException($"the rank ended without {typeof(T).Name}");
    }

    private Process Start(int attempt, long steps)
    {
        var corpus = Path.Combine(_root, "corpus.txt");
        File.WriteAllText(corpus, string.Concat(Enumerable.Range(0, 200).Select(i => $"def f{i % 17}(x): return x * {i % 5}\n")));
        var job = TrainingJobDefaults.Apply(new TrainingJob
        {
            Spec = new TrainingJobSpec
            {
                Accelerator = new AcceleratorSpec { PerReplica = 1 },
                Phi = new PhiSpec
                {
                    Model = new ModelSpec { Layers = 1, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, SequenceLength = 24 },
                    Data = new DataSpec { Sources = [corpus] },
                    Batch = new BatchSpec { Global = 1, Micro = 1 },
                    Steps = steps,
                },
                Checkpoint = new CheckpointSpec { EverySteps = 1, Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "run" } } },
            },
        });
        var master = FreeEndPoint.Next();
        var start = RankStarts.Of(0, 1, attempt);
        start = start with { Assignment = start.Assignment with { Spec = job.Spec, MasterAddress = master.Address.ToString(), MasterPort = master.Port }, CheckpointRoot = _root, DataCache = Path.Combine(_root, "cache") };
        var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "phi-trainer"), ["rank"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        process.StandardInput.WriteLine(JsonSerializer.Serialize(start, PhiJson.Options));
        process.StandardInput.Flush();
        return process;
    }
}
