using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Benchmarks.Reports;
using Phi.Benchmarks.Workers;

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

    private static async Task<Run> RunAsync(bool saves, bool waits)
    {
        var folder = Directory.CreateTempSubdirectory("phi bench saving ").FullName;
        var processes = new List<Process>();
        try
        {
            var port = WorkerRun.FreePort();
            var spec = Spec(saves);
            for (var rank = 0; rank < Ranks; rank++)
            {
                processes.Add(Start(Message(spec, rank, port, folder), waits));
            }

            var told = await Task.WhenAll(processes.Select(ReadAsync));
            await Task.WhenAll(processes.Select(process => process.WaitForExitAsync()));
            return processes.TrueForAll(process => process.ExitCode == RankExitCodes.Completed)
                ? told[0]
                : throw new BenchException($"ranks ended with exit codes {string.Join(", ", processes.Select(process => process.ExitCode))}");
        }
        finally
        {
            foreach (var process in processes)
            {
                if (!process.HasExited)
                {
                    process.Kill();
                }

                process.Dispose();
            }

            Directory.Delete(folder, recursive: true);
        }
    }

    private static Process Start(JsonObject message, bool waits)
    {
        string[] arguments = waits ? ["rank", "--wait-for-saves"] : ["rank"];
        var process = Process.Start(new ProcessStartInfo(Executables.Required(Executables.Trainer), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { ["OMP_NUM_THREADS"] = "1", ["OMP_WAIT_POLICY"] = "PASSIVE" } })!;
        process.StandardInput.WriteLine(message.ToJsonString());
        process.StandardInput.Flush();
        return process;
    }

    /// <summary>From the end of the warm-up to the end of the last measured step, and what rank 0's saves in between stalled.</summary>
    private static async Task<Run> ReadAsync(Process rank)
    {
        DateTimeOffset? from = null, to = null;
        var stalls = new List<double>();
        while (await rank.StandardOutput.ReadLineAsync() is { } line)
        {
            var value = line.StartsWith('{') ? JsonNode.Parse(line)!.AsObject() : [];
            switch ((string?)value["event"])
            {
                case "step":
                    var step = value["step"].Deserialize<StepEvent>(PhiJson.Options)!;
                    from = step.Step == WarmupSteps ? step.Time : from;
                    to = step.Step == WarmupSteps + MeasuredSteps ? step.Time : to;
                    break;
                case "saved" when value["checkpoint"].Deserialize<CheckpointEvent>(PhiJson.Options) is { Step: >= WarmupSteps and < WarmupSteps + MeasuredSteps } saved:
                    stalls.Add(saved.StallSeconds);
                    break;
            }
        }

        return new Run((to - from)?.TotalSeconds ?? 0, stalls.DefaultIfEmpty().Average());
    }

    /// <summary>operators/samples/phi-tiny.yaml. The last step is saved always: it is after the measured ones.</summary>
    private static TrainingJobSpec Spec(bool saves) => TrainingJobDefaults.Apply(new TrainingJob
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
            Checkpoint = new CheckpointSpec { EverySteps = saves ? Every : long.MaxValue, Store = new CheckpointStoreSpec { Folder = new FolderStoreSpec { Path = "run" } } },
        },
    }).Spec;

    /// <summary>The first line that a rank reads.</summary>
    private static JsonObject Message(TrainingJobSpec spec, int rank, int port, string folder)
    {
        var node = rank / PerPod;
        var assignment = new Assignment { Attempt = 1, WorldSize = Ranks, Replicas = Ranks / PerPod, LocalWorldSize = PerPod, FirstRank = node * PerPod, MasterAddress = "127.0.0.1", MasterPort = port, Spec = spec };
        return new JsonObject
        {
            ["assignment"] = JsonSerializer.SerializeToNode(assignment, PhiJson.Options),
            ["runId"] = "bench",
            ["rank"] = rank,
            ["nodeRank"] = node,
            ["bindAddress"] = "127.0.0.1",
            ["checkpointRoot"] = folder,
            ["dataCache"] = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"phi-bench-data-{Environment.UserName}")),
        };
    }

    private sealed record Run(double Seconds, double StallSeconds);
}
