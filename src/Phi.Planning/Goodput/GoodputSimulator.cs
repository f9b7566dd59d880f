using Phi.Planning.Simulation;

namespace Phi.Planning.Goodput;

/// <summary>
/// Plays whole runs with failures at exponential times, and with them the loss of what was not committed yet. Every interval meets the same
/// failures, so that a difference between two is theirs. A save that is still being written when the next one is due delays it.
/// </summary>
public static class GoodputSimulator
{
    private const int Runs = 200;
    private const ulong Seed = 0x0D15EA5E;

    /// <summary>A run that has failed so many times goes nowhere.</summary>
    private const int MostFailures = 100_000;

    private const int MostCheckpoints = 20_000;

    /// <summary>Intervals around the best one, which is among them, ascending.</summary>
    public static IReadOnlyList<GoodputPoint> Curve(FailureModel model, IEnumerable<long> alsoAt)
    {
        var first = Math.Clamp((long)(Estimate(model) / model.Step), 1, model.Steps);
        var intervals = new SortedSet<long>(alsoAt.Where(every => every >= 1).Select(every => Math.Min(every, model.Steps))) { first };
        foreach (var factor in new[] { 0.1, 0.25, 0.5, 0.7, 1.4, 2, 4, 10 })
        {
            intervals.Add(Math.Clamp((long)(first * factor), 1, model.Steps));
        }

        return [.. intervals.Select(every => Run(model, every))];
    }

    public static GoodputPoint Best(IReadOnlyList<GoodputPoint> curve) => curve.MaxBy(point => point.Goodput)!;

    /// <summary>Mean over runs; deterministic. Of a run with very many checkpoints its first ones stand for all.</summary>
    public static GoodputPoint Run(FailureModel model, long everySteps)
    {
        var part = model.Steps / everySteps > MostCheckpoints ? model with { Steps = everySteps * MostCheckpoints } : model;
        var (seconds, failures) = (0.0, 0L);
        for (var run = 0; run < Runs; run++)
        {
            var (taken, failed) = Play(part, everySteps, new Jitter(1, Seed + (ulong)run * 0x9E3779B97F4A7C15));
            (seconds, failures) = (seconds + taken, failures + failed);
        }

        var (mean, whole) = (seconds / Runs, model.Steps / (double)part.Steps);
        return new GoodputPoint(everySteps, mean * whole, part.Steps * part.Step / mean, failures * whole / Runs);
    }

    /// <summary>Young's and Daly's interval, in seconds (Daly 2006, equation 37): where the search begins.</summary>
    internal static double Estimate(FailureModel model)
    {
        var (stall, mean) = (Math.Max(model.Stall, 1e-3 * model.Step), model.MeanTimeBetweenFailures);
        return stall < 2 * mean ? Math.Max(model.Step, Math.Sqrt(2 * stall * mean) - stall) : mean;
    }

    private static (double Seconds, int Failures) Play(FailureModel model, long every, Jitter random)
    {
        var (now, failures, committed) = (0.0, 0, 0L);
        var fails = now + Next(ref random);
        // The newest save that is not committed yet: its step, and when it will be.
        var (done, saving, commits) = (0L, 0L, 0.0);
        while (done < model.Steps)
        {
            var next = Math.Min(model.Steps, (done / every + 1) * every);
            var saves = Math.Max(now + (next - done) * model.Step, commits) + model.Stall;
            if (fails < saves && failures < MostFailures)
            {
                committed = saving > committed && commits <= fails ? saving : committed;
                (now, done, saving, commits) = (fails + model.Restart, committed, committed, 0);
                failures++;
                fails = now + Next(ref random);
                continue;
            }

            committed = Math.Max(committed, saving);
            (now, done, saving, commits) = (saves, next, next, saves + model.Write);
        }

        return (Math.Max(now, commits), failures);

        double Next(ref Jitter of) => -model.MeanTimeBetweenFailures * Math.Log(1 - of.Uniform());
    }
}
