using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;
using Phi.Planning.Goodput;
using Phi.Planning.Hardware;
using Phi.Planning.Memory;
using Phi.Planning.Shapes;
using Phi.Planning.Simulation;
using Phi.Planning.Steps;

namespace Phi.Planning.Reports;

/// <summary>From a job and a machine to a plan.</summary>
public static class Planner
{
    /// <summary>Weights and both moments in fp32.</summary>
    private const int CheckpointBytesPerElement = 3 * sizeof(float);

    /// <param name="job">Valid, with defaults.</param>
    /// <param name="machine">Null where no figures of the accelerator are known: memory and traffic are planned, times are not.</param>
    public static TrainingPlan Plan(TrainingJob job, Machine? machine, PlanOptions options)
    {
        var (spec, accelerator) = (job.Spec, job.Spec.Accelerator!);
        var ranks = spec.Replicas!.Value * accelerator.PerReplica!.Value;
        var plan = new TrainingPlan
        {
            Job = job.Metadata.Name!, Kind = spec.Phi is null ? "container" : "phi", Accelerator = machine?.Accelerator.Name ?? accelerator.Type!, Accelerators = ranks, Nodes = spec.Replicas.Value,
            Assumptions = PlanAssumptions.Of(spec, machine),
        };
        if (spec.Phi is not { Model.VocabularySize: not null } phi)
        {
            return plan with { AcceleratorHours = spec.ActiveDeadlineSeconds * ranks / 3600.0 };
        }

        var shape = JobShape.Of(spec);
        var memory = MemoryPlan.Of(shape, accelerator.Type != "cpu");
        var capacity = machine?.Accelerator.MemoryBytes;
        plan = plan with
        {
            Parameters = UnitLayout.Of(shape.Model).Sum(unit => unit.Matrices + unit.Vectors),
            Steps = phi.Steps,
            TokensPerStep = shape.TokensPerStep,
            TotalTokens = phi.Steps * shape.TokensPerStep,
            Memory = new MemoryFigures([.. memory.Parts.Where(part => part.Bytes > 0)], memory.Total, capacity, Fits(memory, capacity)),
            Traffic = StepTraffic.Of(shape),
        };
        return machine is null ? plan : Timed(plan, spec, shape, machine, options);
    }

    /// <summary>The figures that comparisons have.</summary>
    public static Alternative Alternative(string name, JobShape shape, Machine machine, TrainingJobSpec spec)
    {
        var (memory, traffic) = (MemoryPlan.Of(shape, spec.Accelerator!.Type != "cpu"), StepTraffic.Of(shape));
        var seconds = StepSimulator.Run(shape, machine).Seconds;
        var all = TrainingSeconds(spec, seconds, Checkpoint(spec, shape, machine));
        return new Alternative(name, seconds, all, all * shape.Ranks / 3600, memory.Total, Fits(memory, machine.Accelerator.MemoryBytes), traffic.AcrossNodes, traffic.WithinNodes);
    }

    /// <returns>Null where the capacity is not known.</returns>
    private static bool? Fits(MemoryPlan memory, long? capacity) => capacity is { } bytes ? memory.Total <= bytes : null;

    private static TrainingPlan Timed(TrainingPlan plan, TrainingJobSpec spec, JobShape shape, Machine machine, PlanOptions options)
    {
        var step = StepSimulator.Run(shape, machine);
        var tokens = shape.TokensPerStep / step.Seconds;
        var checkpoint = Checkpoint(spec, shape, machine);
        var seconds = TrainingSeconds(spec, step.Seconds, checkpoint);
        return plan with
        {
            Step = new StepFigures(step.Seconds, step.Compute, step.Exposed, step.Hidden, shape.Passes, tokens, tokens * ModelOperations.Training(shape.Model) / (shape.Ranks * machine.Accelerator.PeakFlops)),
            Checkpoint = checkpoint,
            TrainingSeconds = seconds,
            AcceleratorHours = seconds * shape.Ranks / 3600,
            Techniques = shape.Ranks > 1 ? [.. Alternatives.Techniques(shape).Select(other => Alternative(other.Name, other.Shape, machine, spec))] : [],
            Remedies = plan.Memory!.Fits == false ? Alternatives.Remedies(shape, machine, spec) : [],
            Simulation = options.SimulatedNodes is { } nodes ? Simulation(shape, machine, nodes) : null,
            Goodput = options.NodeMeanTimeBetweenFailures is { } mean ? Goodput(spec, shape, machine, options with { NodeMeanTimeBetweenFailures = mean }) : null,
        };
    }

    private static double TrainingSeconds(TrainingJobSpec spec, double step, CheckpointFigures checkpoint) =>
        spec.Phi!.Steps!.Value * step + spec.Phi.Steps.Value / checkpoint.EverySteps * checkpoint.StallSeconds;

    /// <summary>A snapshot leaves the accelerators side by side; a node's shards leave it through its share of the store.</summary>
    private static CheckpointFigures Checkpoint(TrainingJobSpec spec, JobShape shape, Machine machine)
    {
        var (embedding, layer, head) = UnitShape.Of(shape);
        var shard = (embedding.ShardLength + shape.Model.Layers * layer.ShardLength + head.ShardLength) * CheckpointBytesPerElement;
        var perNode = shape.Stage > 0 ? Math.Min(shape.RanksPerNode, shape.Ranks) * shard : shard;
        var bytes = shape.Places * shard;
        var (steps, every) = (spec.Phi!.Steps!.Value, spec.Checkpoint!.EverySteps!.Value);
        var ever = spec.Checkpoint.KeepEvery is { } keep ? steps / Math.Max(keep, every) : 0;
        var kept = Math.Min(ever + spec.Checkpoint.KeepLast!.Value, Math.Max(1, steps / every));
        return new CheckpointFigures(bytes, shard / machine.Accelerator.HostBandwidth, perNode / machine.StoreBandwidth, Math.Min(every, steps), kept, kept * bytes);
    }

    private static SimulationFigures Simulation(JobShape shape, Machine machine, int nodes) =>
        new(nodes, checked(nodes * shape.RanksPerNode), ScalingSimulator.Run(shape, machine, nodes, growsBatch: false), ScalingSimulator.Run(shape, machine, nodes, growsBatch: true));

    private static GoodputFigures Goodput(TrainingJobSpec spec, JobShape job, Machine machine, PlanOptions options)
    {
        var shape = options.SimulatedNodes is { } nodes ? ScalingSimulator.On(job, nodes, growsBatch: false) : job;
        var checkpoint = Checkpoint(spec, shape, machine);
        var model = new FailureModel
        {
            MeanTimeBetweenFailures = options.NodeMeanTimeBetweenFailures!.Value.TotalSeconds / shape.Nodes,
            Restart = options.Restart.TotalSeconds + checkpoint.Bytes / (double)shape.Nodes / machine.StoreBandwidth,
            Stall = checkpoint.StallSeconds,
            Write = checkpoint.WriteSeconds,
            Step = StepSimulator.Run(shape, machine).Seconds,
            Steps = spec.Phi!.Steps!.Value,
        };
        var curve = GoodputSimulator.Curve(model, [checkpoint.EverySteps]);
        return new GoodputFigures(model.MeanTimeBetweenFailures / 3600, model.Restart, curve, GoodputSimulator.Best(curve), curve.First(point => point.EverySteps == checkpoint.EverySteps));
    }
}
