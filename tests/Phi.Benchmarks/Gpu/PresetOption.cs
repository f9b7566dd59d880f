using System.CommandLine;
using Phi.Api.TrainingJobs;

namespace Phi.Benchmarks.Gpu;

/// <summary><c>--preset NAME</c>: the model of a bench on a GPU.</summary>
internal static class PresetOption
{
    public const string Default = "phi-1";

    public static Option<string> Create()
    {
        var option = new Option<string>("--preset") { Description = string.Join(", ", ModelPresets.Names), DefaultValueFactory = _ => Default };
        option.AcceptOnlyFromAmong([.. ModelPresets.Names]);
        return option;
    }

    public static ModelConfiguration Model(string name)
    {
        var preset = ModelPresets.Find(name)!;
        return new ModelConfiguration
        {
            Layers = preset.Layers!.Value,
            HiddenSize = preset.HiddenSize!.Value,
            Heads = preset.Heads!.Value,
            RotaryDim = preset.RotaryDim!.Value,
            MlpSize = preset.MlpSize!.Value,
            VocabularySize = preset.VocabularySize!.Value,
            SequenceLength = preset.SequenceLength!.Value,
        };
    }
}
