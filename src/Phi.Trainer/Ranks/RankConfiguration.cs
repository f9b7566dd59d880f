using Phi.Api.TrainingJobs;
using Phi.Training.Loop;
using Phi.Training.Model;
using Phi.Training.Optimizer;

namespace Phi.Trainer.Ranks;

/// <summary>From the job's spec, with its defaults, to the engine's configuration.</summary>
internal static class RankConfiguration
{
    public static TrainingConfiguration Of(TrainingJobSpec spec)
    {
        var phi = spec.Phi ?? throw new ArgumentException("spec.phi is missing: this executable trains phi jobs alone");
        var adamW = phi.Optimizer!.AdamW!;
        var schedule = phi.Schedule!.Linear ?? throw new ArgumentException("spec.phi.schedule must be linear in this version");
        return new TrainingConfiguration
        {
            Model = Model(phi.Model!),
            GlobalBatch = phi.Batch!.Global!.Value,
            MicroBatch = phi.Batch.Micro!.Value,
            Schedule = new LinearSchedule(schedule.WarmupSteps!.Value, schedule.TotalSteps!.Value),
            Optimizer = new AdamW
            {
                LearningRate = (float)adamW.LearningRate!,
                Beta1 = (float)adamW.Beta1!,
                Beta2 = (float)adamW.Beta2!,
                Epsilon = (float)adamW.Epsilon!,
                WeightDecay = (float)adamW.WeightDecay!,
                ClipNorm = (float)adamW.ClipNorm!,
            },
            Seed = phi.Seed!.Value,
        };
    }

    public static IReadOnlyDictionary<string, int> Dimensions(ModelConfiguration model) => new Dictionary<string, int>
    {
        ["layers"] = model.Layers,
        ["hiddenSize"] = model.HiddenSize,
        ["heads"] = model.Heads,
        ["rotaryDim"] = model.RotaryDim,
        ["mlpSize"] = model.MlpSize,
        ["vocabularySize"] = model.VocabularySize,
        ["sequenceLength"] = model.SequenceLength,
    };

    /// <exception cref="ArgumentException">A dimension is missing.</exception>
    public static ModelConfiguration FromDimensions(IReadOnlyDictionary<string, int> dimensions)
    {
        return new ModelConfiguration
        {
            Layers = Get("layers"),
            HiddenSize = Get("hiddenSize"),
            Heads = Get("heads"),
            RotaryDim = Get("rotaryDim"),
            MlpSize = Get("mlpSize"),
            VocabularySize = Get("vocabularySize"),
            SequenceLength = Get("sequenceLength"),
        };

        int Get(string name) => dimensions.TryGetValue(name, out var value) ? value : throw new ArgumentException($"the checkpoint's manifest has no model.{name}");
    }

    private static ModelConfiguration Model(ModelSpec spec) => new()
    {
        Layers = spec.Layers!.Value,
        HiddenSize = spec.HiddenSize!.Value,
        Heads = spec.Heads!.Value,
        RotaryDim = spec.RotaryDim!.Value,
        MlpSize = spec.MlpSize!.Value,
        VocabularySize = spec.VocabularySize!.Value,
        SequenceLength = spec.SequenceLength!.Value,
    };
}
