using Phi.Checkpoints.Weights;
using Phi.Training.Kernels;

namespace Phi.Benchmarks.Gpu;

/// <summary>Weights that are a function of a seed, the tensor's name and the place: of a model of any size without its memory. Biases are not zero, so that each counts.</summary>
internal sealed class SeededWeights(ModelConfiguration model, long seed) : IModelWeights
{
    private const double Deviation = 0.02;
    private readonly Dictionary<string, (int Index, TensorLayout Layout)> _tensors =
        UnitLayout.Of(model).SelectMany(unit => unit.Tensors).Index().ToDictionary(tensor => tensor.Item.Name, tensor => (tensor.Index, tensor.Item));

    public ModelConfiguration Model => model;

    public string Location => "memory";

    public byte[]? TryReadFile(string name) => null;

    public void Read(string tensor, long first, Span<float> into)
    {
        var (index, layout) = _tensors[tensor];
        var values = new float[into.Length];
        Parallel.For(0, values.Length, i => values[i] = (float)(Deviation * CounterRandom.Normal((ulong)seed, (ulong)index, (ulong)(first + i)) + (layout.Initialization == Initialization.One ? 1 : 0)));
        values.CopyTo(into);
    }

    public void Dispose()
    {
    }
}
