namespace Phi.Training.Model;

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

    /// <exception cref="ArgumentException">A dimension does not fit the others.</exception>
    public void Validate()
    {
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
