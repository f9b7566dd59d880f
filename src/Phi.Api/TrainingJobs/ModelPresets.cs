namespace Phi.Api.TrainingJobs;

/// <summary>Named models; dimensions from arXiv 2306.11644, phi-tiny for one machine.</summary>
public static class ModelPresets
{
    public static IReadOnlyList<string> Names { get; } = ["phi-1", "phi-1-small", "phi-tiny"];

    /// <summary>Every dimension of a preset; null if there is none of that name.</summary>
    public static ModelSpec? Find(string name) => name switch
    {
        "phi-1" => Create(24, 2048, 32, 32, 8192, 51200, 2048),
        "phi-1-small" => Create(20, 1024, 16, 32, 4096, 51200, 2048),
        "phi-tiny" => Create(4, 256, 4, 32, 1024, 257, 256),
        _ => null,
    };

    private static ModelSpec Create(int layers, int hidden, int heads, int rotary, int mlp, int vocabulary, int sequence) => new()
    {
        Layers = layers, HiddenSize = hidden, Heads = heads, RotaryDim = rotary, MlpSize = mlp, VocabularySize = vocabulary, SequenceLength = sequence, Dropout = 0,
    };
}
