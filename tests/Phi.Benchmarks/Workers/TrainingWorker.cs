using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Phi.Collectives;
using Phi.Data.Preparation;
using Phi.Training.Data;
using Phi.Training.Loop;

namespace Phi.Benchmarks.Workers;

/// <summary>One rank in a process of its own: trains, measures the steps after the warm-up, prints its result as JSON.</summary>
internal static class TrainingWorker
{
    private const string Corpus = "/usr/lib/python3*/**/*.py";
    private const int EvaluationSamples = 128;

    public static async Task<int> RunAsync()
    {
        var configuration = JsonSerializer.Deserialize<WorkerConfiguration>((await Console.In.ReadLineAsync())!)!;
        var cache = Path.Combine(Path.GetTempPath(), "phi-bench-data");
        using var tokens = await DataCache.OpenAsync(new PrepareOptions { Sources = [Corpus], Output = cache, HeldOutFraction = 0 }, progress: null, CancellationToken.None);
        var (data, heldOut) = new TokenDataset(tokens.Training).Split(configuration.HeldOutFraction);
        var result = configuration.IsPlain ? PlainTraining.Run(configuration, data) : await TrainAsync(configuration, data, heldOut);
        Console.WriteLine(JsonSerializer.Serialize(result));
        return 0;
    }

    private static async Task<WorkerResult> TrainAsync(WorkerConfiguration configuration, TokenDataset data, TokenDataset heldOut)
    {
        await using var group = await TcpGroup.ConnectAsync(
            new RendezvousOptions
            {
                MasterAddress = IPAddress.Parse(configuration.MasterAddress),
                MasterPort = configuration.MasterPort,
                Rank = configuration.Rank,
                WorldSize = configuration.WorldSize,
                NodeRank = configuration.NodeRank,
                RunId = "bench",
                Attempt = 1,
                BindAddress = IPAddress.Parse(configuration.BindAddress),
            },
            CancellationToken.None);
        return Measure(configuration, group, data, heldOut);
    }

    /// <summary>On the thread that trains, from first to last.</summary>
    private static WorkerResult Measure(WorkerConfiguration configuration, ICommunicator group, TokenDataset data, TokenDataset heldOut)
    {
        using var loop = new TrainingLoop(configuration.ToTraining(), group, data);
        for (var i = 0; i < configuration.WarmupSteps; i++)
        {
            loop.Step();
        }

        group.Barrier().Wait();
        var (inter, intra, wire) = (group.Statistics.Bytes(WireScope.Inter), group.Statistics.Bytes(WireScope.Intra), InterfaceBytes());
        var (busy, exposed) = loop.CommunicationTime;
        var started = Stopwatch.GetTimestamp();
        var loss = 0f;
        for (var i = 0; i < configuration.Steps; i++)
        {
            loss = loop.Step().Loss;
        }

        group.Barrier().Wait();
        double steps = configuration.Steps;
        var result = new WorkerResult
        {
            StepSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds / steps,
            InterBytes = (group.Statistics.Bytes(WireScope.Inter) - inter) / steps,
            IntraBytes = (group.Statistics.Bytes(WireScope.Intra) - intra) / steps,
            InterfaceBytes = (InterfaceBytes() - wire) / steps,
            CommunicationSeconds = (loop.CommunicationTime.Busy - busy).TotalSeconds / steps,
            ExposedSeconds = (loop.CommunicationTime.Exposed - exposed).TotalSeconds / steps,
            StateBytes = loop.StateBytes,
            SlotBytes = loop.SlotBytes,
            Loss = loss,
        };
        return heldOut.Length == 0 ? result : result with { EvaluationLoss = loop.Evaluate(heldOut, EvaluationSamples) };
    }

    private static long InterfaceBytes() =>
        Directory.EnumerateDirectories("/sys/class/net").Where(folder => Path.GetFileName(folder) != "lo")
            .Sum(folder => long.Parse(File.ReadAllText(Path.Combine(folder, "statistics/tx_bytes")), System.Globalization.CultureInfo.InvariantCulture));
}
