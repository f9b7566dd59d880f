using System.Globalization;
using Phi.Api.Agent;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>Values like those of a loss: they fall, with noise.</summary>
internal static class Curves
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static string Name(int metric) => metric == 0 ? "loss" : string.Create(CultureInfo.InvariantCulture, $"metric_{metric}");

    public static StepEvent Step(int rank, long step, int metrics) => new()
    {
        Rank = rank,
        Step = step,
        Time = Start.AddMilliseconds(step * 350),
        Metrics = Enumerable.Range(0, metrics).ToDictionary(Name, metric => Value(rank, metric, step)),
    };

    private static double Value(int rank, int metric, long step)
    {
        var noise = (ulong)HashCode.Combine(rank, metric, step) % 1000 / 1000.0;
        return 1.8 + 9 * Math.Exp(-step / 50_000.0) + (noise - 0.5) * 0.25;
    }
}
