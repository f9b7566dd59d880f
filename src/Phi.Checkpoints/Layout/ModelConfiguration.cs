using Phi.Api.TrainingJobs;

namespace Phi.Checkpoints.Layout;

/// <summary>Dimensions of a phi-style decoder (arXiv 2306.11644).</summary>
public sealed record ModelConfiguration
{
    public required int Layers { get; init; }
    public required int HiddenSize { get; init; }
    public required int Heads { get; init; }
    public required int RotaryDim { get; init; }
    public required int MlpSize { get; init; }
    public required int VocabularySize { get; init; }
    public required int SequenceLength { get; init; }

    public int HeadSize => HiddenSize / Heads;

    /// <summary>About 3.3 M parameters over bytes and an end-of-text token.</summary>
    public static ModelConfiguration PhiTiny { get; } = new()
    {
        Layers = 4, HiddenSize = 256, Heads = 4, RotaryDim = 32, MlpSize = 1024, VocabularySize = 257, SequenceLength = 256,
    };

    /// <param name="spec">With every dimension.</param>
    public static ModelConfiguration Of(ModelSpec spec) => new()
    {
        Layers = spec.Layers!.Value,
        HiddenSize = spec.HiddenSize!.Value,
        Heads = spec.Heads!.Value,
        RotaryDim = spec.RotaryDim!.Value,
        MlpSize = spec.MlpSize!.Value,
        VocabularySize = spec.VocabularySize!.Value,
        SequenceLength = spec.SequenceLength!.Value,
    };

    /// <summary>The dimensions by the names that manifests give them.</summary>
    public IReadOnlyDictionary<string, int> ToDimensions() => new Dictionary<string, int>
    {
        ["layers"] = Layers,
        ["hiddenSize"] = HiddenSize,
        ["heads"] = Heads,
        ["rotaryDim"] = RotaryDim,
        ["mlpSize"] = MlpSize,
        ["vocabularySize"] = VocabularySize,
        ["sequenceLength"] = SequenceLength,
    };

    /// <exception cref="CheckpointException">A dimension is missing, or does not fit the others.</exception>
    public static ModelConfiguration FromDimensions(IReadOnlyDictionary<string, int> dimensions)
    {
        var model = new ModelConfiguration
        {
            Layers = Get("layers"),
            HiddenSize = Get("hiddenSize"),
            Heads = Get("heads"),
            RotaryDim = Get("rotaryDim"),
            MlpSize = Get("mlpSize"),
            VocabularySize = Get("vocabularySize"),
            SequenceLength = Get("sequenceLength"),
        };
        try
        {
            model.Validate();
            return model;
        }
        catch (ArgumentException e)
        {
            throw new CheckpointException($"the checkpoint's manifest describes no model: {e.Message}", e);
        }

        int Get(string name) => dimensions.TryGetValue(name, out var value) ? value : throw new CheckpointException($"the checkpoint's manifest has no model.{name}");
    }

    /// <exception cref="ArgumentException">A dimension does not fit the others.</exception>
    public void Validate()
    {
        foreach (var (name, value) in ToDimensions())
        {
            if (value < 1)
            {
                throw new ArgumentException($"{name} {value} must be at least 1");
            }
        }

        if (HiddenSize % Heads != 0)
        {
            throw new ArgumentException($"hiddenSize {HiddenSize} is not a multiple of heads {Heads}; choose one that is, such as {HiddenSize / Heads * Heads}");
        }

        if (RotaryDim % 2 != 0 || RotaryDim > HeadSize)
        {
            throw new ArgumentException($"rotaryDim {RotaryDim} must be even and at most the head size {HeadSize}");
        }
    }
}
