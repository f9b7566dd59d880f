using Phi.Planning.Hardware;
using Phi.Planning.Shapes;

namespace Phi.Planning.Simulation;

/// <summary>The same job on 1, 2, 4 … nodes, every rank played.</summary>
public static class ScalingSimulator
{
    private const ulong Seed = 1;

    /// <param name="growsBatch">True: every rank keeps its share, and the global batch grows (weak scaling). False: the global batch stays (strong scaling), and micro-batches shrink to it.</param>
    public static IReadOnlyList<ScalingPoint> Run(JobShape job, Machine machine, int nodes, bool growsBatch)
    {
        var points = new List<ScalingPoint>();
        foreach (var count in Counts(nodes))
        {
            var shape = On(job, count, growsBatch);
            var time = StepSimulator.RunAll(shape, machine, Seed);
            var tokens = shape.TokensPerStep / time.Seconds;
            var mfu = tokens * ModelOperations.Training(shape.Model) / (shape.Ranks * machine.Accelerator.PeakFlops);
            var efficiency = points is [var one, ..] ? tokens / shape.Ranks / (one.TokensPerSecond / one.Accelerators) : 1;
            points.Add(new ScalingPoint(count, shape.Ranks, shape.GlobalBatch, shape.MicroBatch, time.Seconds, tokens, mfu, time.Exposed, efficiency));
        }

        return points;
    }

    /// <summary>The job with another number of pods.</summary>
    public static JobShape On(JobShape job, int nodes, bool growsBatch)
    {
        var ranks = checked(nodes * job.RanksPerNode);
        var group = ranks % job.GroupSize == 0 ? job.GroupSize : job.RanksPerNode;
        var batch = growsBatch ? checked((int)((long)job.GlobalBatch * ranks / job.Ranks)) : job.GlobalBatch;
        var share = Math.Max(1, (batch + ranks - 1) / ranks);
        return job with { Ranks = ranks, GroupSize = group, GlobalBatch = Math.Max(1, batch), MicroBatch = Math.Min(job.MicroBatch, share) };
    }

    private static IEnumerable<int> Counts(int nodes)
    {
        for (var count = 1; count < nodes; count *= 2)
        {
            yield return count;
        }

        yield return nodes;
    }
}
