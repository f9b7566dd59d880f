using Phi.Planning.Hardware;
using Phi.Planning.Shapes;
using Phi.Planning.Steps;

namespace Phi.Planning.Simulation;

/// <summary>
/// Plays one optimizer step on a described machine. Every rank has a compute and a communication stream; a collective begins when the last
/// of its ranks is there; a node's adapter serves one collective after the other; links within a node serve every rank at once. All ranks
/// run the same program and start collectives in the same order, so events are taken in the program's order, for all ranks at once.
/// </summary>
public static class StepSimulator
{
    /// <summary>Passes after which another one takes as long as the last.</summary>
    private const int SettledPasses = 6;

    /// <summary>A step in which all nodes do the same at the same time: one stands for all.</summary>
    public static StepTime Run(JobShape job, Machine machine) => Run(job, machine with { Jitter = 0 }, 1, 0);

    /// <summary>A step with every rank of its own pace (<see cref="Machine.Jitter"/>). The same seed gives the same step.</summary>
    public static StepTime RunAll(JobShape job, Machine machine, ulong seed) => Run(job, machine, job.Nodes, seed);

    private static StepTime Run(JobShape job, Machine machine, int nodes, ulong seed)
    {
        if (job.Passes <= SettledPasses)
        {
            return Play(job.Passes);
        }

        var (few, more) = (Play(SettledPasses / 2), Play(SettledPasses));
        var further = (job.Passes - SettledPasses) / (double)(SettledPasses - SettledPasses / 2);
        return new StepTime(
            More(few.Seconds, more.Seconds), More(few.Compute, more.Compute), More(few.Exposed, more.Exposed), More(few.Communication, more.Communication));

        double More(double before, double after) => after + (after - before) * further;

        StepTime Play(int passes) => new StepSimulation(job, machine, StepProgram.Of(job, passes), Math.Min(job.Ranks, nodes * job.RanksPerNode), seed).Play();
    }
}
