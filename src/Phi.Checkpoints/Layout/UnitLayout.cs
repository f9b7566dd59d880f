namespace Phi.Checkpoints.Layout;

/// <summary>How a parameter starts.</summary>
public enum Initialization
{
    Normal,
    Zero,
    One,
}

/// <summary>One parameter; its offset, in elements, is within its region of the unit: matrices, or vectors.</summary>
public sealed record TensorLayout(string Name, long[] Shape, long Offset, Initialization Initialization)
{
    public long Length { get; } = Shape.Aggregate(1L, (product, size) => product * size);

    public bool IsMatrix => Shape.Length > 1;
}

/// <summary>
/// A unit is what ZeRO-3 gathers at once: the embedding, a layer, or the head. Names are those of Hugging Face's phi.
/// Its matrices lie apart from its vectors (biases, norms), which are never quantised.
/// </summary>
public sealed record UnitLayout(string Name, IReadOnlyList<TensorLayout> Tensors)
{
    /// <summary>Elements of all matrices.</summary>
    public long Matrices { get; } = Tensors.Where(tensor => tensor.IsMatrix).Sum(tensor => tensor.Length);

    /// <summary>Elements of all vectors.</summary>
    public long Vectors { get; } = Tensors.Where(tensor => !tensor.IsMatrix).Sum(tensor => tensor.Length);

    /// <summary>Embedding, layers in order, head.</summary>
    public static IReadOnlyList<UnitLayout> Of(ModelConfiguration model)
    {
        long h = model.HiddenSize, m = model.MlpSize, v = model.VocabularySize;
        return
        [
            Create("embedding", [("model.embed_tokens.weight", [v, h], Initialization.Normal)]),
            .. Enumerable.Range(0, model.Layers).Select(i => Layer(i, h, m)),
            Create("head",
            [
                ("model.final_layernorm.weight", [h], Initialization.One), ("model.final_layernorm.bias", [h], Initialization.Zero),
                ("lm_head.weight", [v, h], Initialization.Normal), ("lm_head.bias", [v], Initialization.Zero),
            ]),
        ];
    }

    private static UnitLayout Layer(int index, long h, long m)
    {
        var prefix = $"model.layers.{index}.";
        return Create($"layer-{index}",
        [
            (prefix + "input_layernorm.weight", [h], Initialization.One), (prefix + "input_layernorm.bias", [h], Initialization.Zero),
            (prefix + "self_attn.q_proj.weight", [h, h], Initialization.Normal), (prefix + "self_attn.q_proj.bias", [h], Initialization.Zero),
            (prefix + "self_attn.k_proj.weight", [h, h], Initialization.Normal), (prefix + "self_attn.k_proj.bias", [h], Initialization.Zero),
            (prefix + "self_attn.v_proj.weight", [h, h], Initialization.Normal), (prefix + "self_attn.v_proj.bias", [h], Initialization.Zero),
            (prefix + "self_attn.dense.weight", [h, h], Initialization.Normal), (prefix + "self_attn.dense.bias", [h], Initialization.Zero),
            (prefix + "mlp.fc1.weight", [m, h], Initialization.Normal), (prefix + "mlp.fc1.bias", [m], Initialization.Zero),
            (prefix + "mlp.fc2.weight", [h, m], Initialization.Normal), (prefix + "mlp.fc2.bias", [h], Initialization.Zero),
        ]);
    }

    private static UnitLayout Create(string name, IEnumerable<(string Name, long[] Shape, Initialization Start)> tensors)
    {
        var layouts = new List<TensorLayout>();
        var (matrices, vectors) = (0L, 0L);
        foreach (var (tensor, shape, start) in tensors)
        {
            ref var offset = ref shape.Length > 1 ? ref matrices : ref vectors;
            layouts.Add(new TensorLayout(tensor, shape, offset, start));
            offset += layouts[^1].Length;
        }

        return new UnitLayout(name, layouts);
    }
}
