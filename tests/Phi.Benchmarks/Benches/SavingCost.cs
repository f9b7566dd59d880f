using Phi.Api.TrainingJobs;
using Phi.Benchmarks.Reports;
using Phi.Trainer.Ranks;

namespace Phi.Benchmarks.Benches;

/// <summary>
/// What saving costs the sample's training: its ranks, as the product runs them, without saving, with saves beside training, and with saves
/// that training waits for. The three take turns, so that a machine that slows down slows all.
/// </summary>
internal static class SavingCost
{
    private const int Every = 20;

    /// <summary>Of which the medians are taken.</summary>
    public const int UsualRounds = 5;

    /// <summary>Steps before the measured ones: code is compiled and buffers are made, those of the saves too.</summary>
    private const int WarmupSteps = 2 * Every;
    private const int MeasuredSteps = 5 * Every;
    private const int Ranks = 4;
    private const int PerPod = 2;

    public static async Task<IReadOnlyList<Metric>> MeasureAsync(int rounds)
    {
        var runs = new List<(Run None, Run Beside, Run Waiting)>();
        for (var round = 1; round <= rounds; round++)
        {
            await Console.Error.WriteLineAsync($"cost of saving, round {round} of {rounds} …");
            runs.Add((await RunAsync(saves: false, waits: false), await RunAsync(saves: true, waits: false), await RunAsync(saves: true, waits: true)));
        }

        return
        [
            new Metric("the sample, no saving, step", Median(run => run.None.Seconds / MeasuredSteps), "s"),
            Metric.AtMost($"training time lost to saving every {Every} steps (async), against no saving, on the sample", Median(run => run.Beside.Seconds / run.None.Seconds - 1), "of its time", 0.01),
            new Metric($"training time lost to saving every {Every} steps (training waits), against no saving, on the sample", Median(run => run.Waiting.Seconds / run.None.Seconds - 1), "of its time"),
            new Metric("stall of one save, async", Median(run => run.Beside.StallSeconds), "s"),
            new Metric("stall of one save, training waits", Median(run => run.Waiting.StallSeconds), "s"),
            new Metric("the stall's share of training time, async", Median(run => run.Beside.StallSeconds * (MeasuredSteps / Every) / run.Beside.Seconds), "of its time"),
        ];

        double Median(Func<(Run None, Run Beside, Run Waiting), double> figure) => runs.Select(figure).Order().ElementAt(rounds / 2);
    }

    /// <summary>operators/samples/phi-tiny.yaml. The last step is saved always: it is after the measured ones.</summary>
    public static TrainingJobSpec Sample(CheckpointSpec checkpoint) => TrainingJobDefaults.Apply(new TrainingJob
    {
        Spec = new TrainingJobSpec
        {
            Replicas = Ranks / PerPod,
            Accelerator = new AcceleratorSpec { Type = "cpu", PerReplica = PerPod },
            Phi = new PhiSpec
            {
                Model = new ModelSpec { Preset = "phi-tiny" },
                Data = new DataSpec { Sources = ["/usr/lib/python3*/**/*.py"] },
                Batch = new BatchSpec { Global = 8, Micro = 2 },
                Steps = WarmupSteps + MeasuredSteps + 1,
            },
            Checkpoint = checkpoint,
        },
    }).Spec;

    private static async Task<Run> RunAsync(bool saves, bool waits)
    {
        var folder = Directory.CreateTempSubdirectory("phi bench saving ").FullName;
        try
        {
            var checkpoint = new CheckpointSpec { EverySteps = saves ? Every : long.MaxValue, Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "run" } } };
            using var ranks = new TrainerRanks(Sample(checkpoint), attempt: 1, folder, waitsForSaves: waits);
            return Measured(await ranks.CompleteAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>From the end of the warm-up to the end of the last measured step, and what the saves in between stalled.</summary>
    private static Run Measured(IReadOnlyList<RankEvent> told)
    {
        var stalls = told.OfType<RankEvent.Saved>().Where(saved => saved.Checkpoint.Step is >= WarmupSteps and < WarmupSteps + MeasuredSteps).Select(saved => saved.Checkpoint.StallSeconds);
        return new Run((TimeOf(WarmupSteps + MeasuredSteps) - TimeOf(WarmupSteps)).TotalSeconds, stalls.DefaultIfEmpty().Average());

        DateTimeOffset TimeOf(long step) => told.OfType<RankEvent.Stepped>().First(stepped => stepped.Step.Step == step).Step.Time;
    }

    private sealed record Run(double Seconds, double StallSeconds);
}
