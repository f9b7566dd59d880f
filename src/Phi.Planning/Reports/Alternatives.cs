using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Planning.Hardware;
using Phi.Planning.Memory;
using Phi.Planning.Shapes;
using Phi.Planning.Simulation;

namespace Phi.Planning.Reports;

/// <summary>The same job with something else.</summary>
public static class Alternatives
{
    private const int Block = 256;
    private static readonly GradientShape Gradients = new(8, 4, Block, ErrorFeedback: false);

    /// <summary>ZeRO-3 without ZeRO++, with each technique alone, and with all; settings that the job has are kept.</summary>
    public static IEnumerable<(string Name, JobShape Shape)> Techniques(JobShape job)
    {
        var plain = job with { Stage = 3, WeightBlock = 0, SecondaryShards = false, Gradients = null };
        var (block, gradients) = (job.WeightBlock > 0 ? job.WeightBlock : Block, job.Gradients ?? Gradients);
        return
        [
            ("ZeRO-3", plain),
            ("qwZ", plain with { WeightBlock = block }),
            ("hpZ", plain with { SecondaryShards = true }),
            ("qgZ", plain with { Gradients = gradients }),
            ("ZeRO++", plain with { WeightBlock = block, SecondaryShards = true, Gradients = gradients }),
        ];
    }

    /// <summary>ZeRO's stages, its techniques, other micro-batches, and layers that are computed again or not.</summary>
    public static IEnumerable<(string Name, JobShape Shape)> Usual(JobShape job)
    {
        yield return ("as it is", job);
        foreach (var (name, shape) in job.Ranks > 1 ? Techniques(job) : [])
        {
            yield return (name, shape);
        }

        foreach (var stage in job.Ranks > 1 ? new[] { 2, 1, 0 } : [])
        {
            yield return (string.Create(CultureInfo.InvariantCulture, $"zero.stage={stage}"), job with { Stage = stage, WeightBlock = 0, SecondaryShards = false, Gradients = null });
        }

        foreach (var micro in new[] { job.MicroBatch / 2, job.MicroBatch * 2 }.Where(micro => micro >= 1 && (long)micro * job.Ranks <= job.GlobalBatch))
        {
            yield return (Micro(micro), job with { MicroBatch = micro });
        }

        yield return ($"phi.activationCheckpointing={(job.Recomputes ? "none" : "full")}", job with { Recomputes = !job.Recomputes });
    }

    /// <summary>Changes with which the job fits its accelerators, the fastest first; of changes that differ in a number, the smallest.</summary>
    internal static IReadOnlyList<Alternative> Remedies(JobShape job, Machine machine, TrainingJobSpec spec) =>
        [.. Changes(job).Where(change => MemoryPlan.Of(change.Shape, spec.Accelerator!.Type != "cpu").Total <= machine.Accelerator.MemoryBytes)
            .DistinctBy(change => string.Concat(change.Name.Where(letter => !char.IsAsciiDigit(letter))))
            .Select(change => Planner.Alternative(change.Name, change.Shape, machine, spec)).OrderBy(change => change.AcceleratorHours).Take(4)];

    private static IEnumerable<(string Name, JobShape Shape)> Changes(JobShape job)
    {
        var bases = new List<(string Name, JobShape Shape)> { ("", job) };
        if (!job.Recomputes)
        {
            bases.Add(("phi.activationCheckpointing=full", job with { Recomputes = true }));
        }

        foreach (var (name, shape) in bases)
        {
            if (name.Length > 0)
            {
                yield return (name, shape);
            }

            // The largest that fits is the fastest.
            for (var micro = job.MicroBatch / 2; micro >= 1; micro /= 2)
            {
                yield return (Join(name, Micro(micro)), shape with { MicroBatch = micro });
            }

            if (job.Stage < 3)
            {
                yield return (Join(name, "zero.stage=3"), shape with { Stage = 3 });
            }

            if (job is { SecondaryShards: true, Groups: > 1 })
            {
                yield return (Join(name, "zero.hierarchicalPartitioning.enabled=false"), shape with { SecondaryShards = false });
            }

            for (var times = 2; times <= 8; times *= 2)
            {
                if ((long)job.MicroBatch * job.Ranks * times <= job.GlobalBatch)
                {
                    yield return (Join(name, string.Create(CultureInfo.InvariantCulture, $"replicas={job.Nodes * times}")), ScalingSimulator.On(shape, job.Nodes * times, growsBatch: false));
                }
            }
        }
    }

    private static string Micro(int micro) => string.Create(CultureInfo.InvariantCulture, $"phi.batch.micro={micro}");

    private static string Join(string first, string second) => first.Length == 0 ? second : $"{first}, {second}";
}
