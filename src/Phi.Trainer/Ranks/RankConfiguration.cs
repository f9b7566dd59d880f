using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;
using Phi.Training.Loop;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Trainer.Ranks;

/// <summary>From the job's spec, with its defaults, to the engine's configuration.</summary>
internal static class RankConfiguration
{
    /// <param name="ranksPerPod">Ranks of one pod: a node, where the spec does not say otherwise.</param>
    public static TrainingConfiguration Of(TrainingJobSpec spec, int ranksPerPod)
    {
        var phi = spec.Phi ?? throw new ArgumentException("spec.phi is missing: this executable trains phi jobs alone");
        var adamW = phi.Optimizer!.AdamW!;
        return new TrainingConfiguration
        {
            Model = ModelConfiguration.Of(phi.Model!),
            GlobalBatch = phi.Batch!.Global!.Value,
            MicroBatch = phi.Batch.Micro!.Value,
            Schedule = Schedule(phi.Schedule!, phi.Steps!.Value),
            Zero = Zero(spec.Zero!, ranksPerPod),
            Precision = phi.Precision switch
            {
                "fp32" => ComputePrecision.Fp32,
                "bf16" => ComputePrecision.Bf16,
                "fp16" => ComputePrecision.Fp16,
                _ => throw new ArgumentException($"spec.phi.precision '{phi.Precision}' is none of fp32, bf16 and fp16"),
            },
            ActivationCheckpointing = phi.ActivationCheckpointing == "full",
            Optimizer = new AdamW
            {
                LearningRate = (float)adamW.LearningRate!,
                Beta1 = (float)adamW.Beta1!,
                Beta2 = (float)adamW.Beta2!,
                Epsilon = (float)adamW.Epsilon!,
                WeightDecay = (float)adamW.WeightDecay!,
                ClipNorm = (float)adamW.ClipNorm!,
            },
            Dropout = phi.Model!.Dropout!.Value,
            Seed = phi.Seed!.Value,
        };
    }

    private static ISchedule Schedule(ScheduleSpec spec, long steps) => spec switch
    {
        { Cosine: { } cosine } => new CosineSchedule(cosine.WarmupSteps!.Value, cosine.TotalSteps!.Value),
        { Constant: { } constant } => new ConstantSchedule(constant.WarmupSteps!.Value, constant.DecaySteps!.Value, steps),
        _ => new LinearSchedule(spec.Linear!.WarmupSteps!.Value, spec.Linear.TotalSteps!.Value),
    };

    private static ZeroConfiguration Zero(ZeroSpec spec, int ranksPerPod) => new()
    {
        Stage = spec.Stage!.Value,
        RanksPerNode = spec.HierarchicalPartitioning is { Enabled: true, GroupSize: { } group } ? group : ranksPerPod,
        WeightBlock = spec.QuantizedWeights is { Enabled: true } weights ? weights.BlockSize!.Value : 0,
        SecondaryShards = spec.HierarchicalPartitioning?.Enabled == true,
        Gradients = spec.QuantizedGradients is { Enabled: true } gradients
            ? new GradientQuantization(gradients.IntraBits!.Value, gradients.InterBits!.Value, gradients.BlockSize!.Value, gradients.ErrorFeedback!.Value)
            : null,
    };
}
