using Phi.Api.TrainingJobs;
using Phi.Checkpoints.Layout;

namespace Phi.Checkpoints.Tests;

/// <summary>The presets have the sizes that arXiv 2306.11644 states.</summary>
public sealed class PresetTests
{
    [Theory]
    [InlineData("phi-1", 1_418_270_720, 341)]
    [InlineData("phi-1-small", 356_794_368, 285)]
    [InlineData("phi-tiny", 3_289_345, 61)]
    public void Layout_OfAPreset_HasItsParametersAndTensors(string preset, long parameters, int tensors)
    {
        var model = Model(ModelPresets.Find(preset)!);
        var units = UnitLayout.Of(model);

        model.Validate();
        Assert.Equal(parameters, units.Sum(unit => unit.Matrices + unit.Vectors));
        Assert.Equal(tensors, units.Sum(unit => unit.Tensors.Count));
        Assert.Equal(parameters, ByHand(model));
    }

    [Fact]
    public void PhiTiny_OfTheEngine_IsThePreset() => Assert.Equal(ModelConfiguration.PhiTiny, Model(ModelPresets.Find("phi-tiny")!));

    /// <summary>Embedding and untied head with bias; in a layer one norm, four square maps and two of the MLP, all with bias.</summary>
    private static long ByHand(ModelConfiguration m)
    {
        long h = m.HiddenSize, f = m.MlpSize, v = m.VocabularySize;
        return v * h + m.Layers * (2 * h + 4 * (h * h + h) + 2 * h * f + f + h) + 2 * h + v * h + v;
    }

    private static ModelConfiguration Model(ModelSpec spec) => new()
    {
        Layers = spec.Layers!.Value, HiddenSize = spec.HiddenSize!.Value, Heads = spec.Heads!.Value, RotaryDim = spec.RotaryDim!.Value,
        MlpSize = spec.MlpSize!.Value, VocabularySize = spec.VocabularySize!.Value, SequenceLength = spec.SequenceLength!.Value,
    };
}
