using Phi.Checkpoints.Weights;
using Phi.Training.Model;

namespace Phi.Training.Generation.Cpu;

/// <summary>A model's weights as <see cref="CpuForward"/> reads them.</summary>
internal sealed unsafe class CpuWeights : IDisposable
{
    private readonly IModelWeights _source;
    private readonly ModelConfiguration _model;
    private float[] _matrix = [];

    public CpuWeights(IModelWeights source)
    {
        (_source, _model) = (source, source.Model);
        var units = UnitLayout.Of(_model);
        Embedding = new FloatMemory((long)_model.VocabularySize * _model.HiddenSize);
        source.Read(units[0].Tensors[0].Name, 0, new Span<float>(Embedding.Address, checked((int)Embedding.Length)));
        Layers = [.. units.Skip(1).Take(_model.Layers).Select(unit => Layer(unit.Tensors))];
        FinalNorm = Norm(units[^1].Tensors);
        Head = new PackedLinear(Width(_model.HiddenSize), Width(_model.VocabularySize));
        Set(Head, 0, 0, units[^1].Tensors[2], units[^1].Tensors[3]);
        _matrix = [];
        var (cos, sin) = RotaryEmbedding.Table(_model);
        (Cos, Sin) = (Of(cos), Of(sin));
    }

    /// <summary>[V, D].</summary>
    public FloatMemory Embedding { get; }

    public IReadOnlyList<LayerWeights> Layers { get; }

    /// <summary>Weight and bias, [2, D].</summary>
    public FloatMemory FinalNorm { get; }

    public PackedLinear Head { get; }

    /// <summary>[T, R / 2].</summary>
    public FloatMemory Cos { get; }

    public FloatMemory Sin { get; }

    /// <summary>Rounded up to whole panels.</summary>
    public static int Width(int size) => Lanes.RoundUp(size, PackedLinear.Panel);

    public void Dispose()
    {
        foreach (var owned in (IEnumerable<IDisposable>)[Embedding, .. Layers.SelectMany(layer => new IDisposable[] { layer.Norm, layer.In, layer.Out }), FinalNorm, Head, Cos, Sin])
        {
            owned.Dispose();
        }
    }

    private LayerWeights Layer(IReadOnlyList<TensorLayout> p)
    {
        int hidden = Width(_model.HiddenSize), mlp = Width(_model.MlpSize);
        var layer = new LayerWeights(Norm(p), new PackedLinear(hidden, 3 * hidden + mlp), new PackedLinear(hidden + mlp, hidden));
        for (var part = 0; part < 3; part++)
        {
            Set(layer.In, part * hidden, 0, p[2 + 2 * part], p[3 + 2 * part]);
        }

        Set(layer.In, 3 * hidden, 0, p[10], p[11]);
        Set(layer.Out, 0, 0, p[8], p[9]);
        Set(layer.Out, 0, hidden, p[12], p[13]);
        return layer;
    }

    private FloatMemory Norm(IReadOnlyList<TensorLayout> p)
    {
        float[] weight = Read(p[0]).ToArray(), bias = Read(p[1]).ToArray();
        return Of([.. weight, .. bias]);
    }

    private void Set(PackedLinear map, int firstOutput, int firstInput, TensorLayout weight, TensorLayout bias)
    {
        var biases = Read(bias).ToArray();
        map.Set(firstOutput, firstInput, Read(weight), biases);
    }

    /// <summary>Valid until the next call.</summary>
    private Span<float> Read(TensorLayout layout)
    {
        _matrix = _matrix.Length >= layout.Length ? _matrix : new float[layout.Length];
        var values = _matrix.AsSpan(0, checked((int)layout.Length));
        _source.Read(layout.Name, 0, values);
        return values;
    }

    private static FloatMemory Of(ReadOnlySpan<float> values)
    {
        var memory = new FloatMemory(values.Length);
        values.CopyTo(new Span<float>(memory.Address, values.Length));
        return memory;
    }

    /// <param name="Norm">Weight and bias, [2, D].</param>
    /// <param name="In">D' → q | k | v | fc1, 3 D' + M'.</param>
    /// <param name="Out">attention | GELU, D' + M' → D'.</param>
    internal sealed record LayerWeights(FloatMemory Norm, PackedLinear In, PackedLinear Out);
}
