using Phi.Checkpoints.Weights;

namespace Phi.Training.Tests;

/// <summary>Weights of a small model in memory, large enough that no part of it is near linear.</summary>
internal sealed class RandomWeights : IModelWeights
{
    private readonly Dictionary<string, float[]> _tensors;

    public RandomWeights(ModelConfiguration model, int seed, double scale = 0.6)
    {
        Model = model;
        var random = new Random(seed);
        _tensors = UnitLayout.Of(model).SelectMany(unit => unit.Tensors).ToDictionary(
            tensor => tensor.Name,
            tensor => Enumerable.Range(0, (int)tensor.Length).Select(_ => (float)((random.NextDouble() - 0.5) * 2 * scale + (tensor.Initialization == Initialization.One ? 1 : 0))).ToArray());
    }

    public ModelConfiguration Model { get; }

    public string Location => "memory";

    public byte[]? TryReadFile(string name) => null;

    public float[] this[string tensor] => _tensors[tensor];

    public void Read(string tensor, long first, Span<float> into) => _tensors[tensor].AsSpan((int)first, into.Length).CopyTo(into);

    public void Dispose()
    {
    }
}
