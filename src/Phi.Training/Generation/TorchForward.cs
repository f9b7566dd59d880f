using Phi.Checkpoints.Weights;
using Phi.Training.Kernels;
using Phi.Training.Model;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Phi.Training.Generation;

/// <summary>
/// <see cref="ICachedForward"/> by libtorch, for weights and caches on a GPU. Its kernels may sum in another order for other shapes: a row's
/// numbers agree with those of other batches to fp32 rounding, not to the last bit.
/// Shapes: N rows, S slots, T positions, D hidden, H heads, K head size, V vocabulary.
/// </summary>
internal sealed class TorchForward : ICachedForward
{
    private const int PromptRows = 512;
    private readonly Device _device;
    private readonly Tensor[][] _units;
    private readonly RotaryEmbedding _rotary;
    private readonly Tensor[] _keys_STHK;
    private readonly Tensor[] _values_STHK;

    /// <param name="weights">Read whole; the caller's to dispose.</param>
    public TorchForward(IModelWeights weights, int slots, Device device)
    {
        (Model, Slots, Rows, _device) = (weights.Model, slots, slots + PromptRows, device);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _units = [.. UnitLayout.Of(Model).Select(unit => unit.Tensors.Select(layout => Load(weights, layout)).ToArray())];
        _rotary = new RotaryEmbedding(Model, ScalarType.Float32, device);
        _keys_STHK = [.. Enumerable.Range(0, Model.Layers).Select(_ => Cache())];
        _values_STHK = [.. Enumerable.Range(0, Model.Layers).Select(_ => Cache())];

        Tensor Cache() => zeros(slots, Model.SequenceLength, Model.Heads, Model.HeadSize, device: device).DetachFromDisposeScope();
    }

    public ModelConfiguration Model { get; }

    public int Slots { get; }

    public int Rows { get; }

    public void Run(IReadOnlyList<TokenRow> rows, Span<float> logits)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var pass = new TorchPass(rows, Model.SequenceLength, _device);
        var x = _units[0][0].index_select(0, Indices(rows.Select(row => row.Token)));
        for (var layer = 0; layer < Model.Layers; layer++)
        {
            x = Layer(layer, x, pass);
        }

        long[] wanted = [.. rows.Index().Where(row => row.Item.HasLogits).Select(row => (long)row.Index)];
        if (wanted.Length > 0)
        {
            var head = _units[^1];
            var normed = F.layer_norm(x.index_select(0, tensor(wanted, device: _device)), [Model.HiddenSize], head[0], head[1], PhiForward.LayerNormEpsilon);
            F.linear(normed, head[2], head[3]).cpu().data<float>().ToArray().CopyTo(logits);
        }
    }

    public void Copy(int from, int to, int positions)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        foreach (var cache in _keys_STHK.Concat(_values_STHK))
        {
            cache.select(0, to).narrow(0, 0, positions).copy_(cache.select(0, from).narrow(0, 0, positions));
        }
    }

    public void Dispose()
    {
        foreach (var owned in (IEnumerable<Tensor>)[.. _keys_STHK, .. _values_STHK, .. _units.SelectMany(unit => unit)])
        {
            owned.Dispose();
        }

        _rotary.Dispose();
    }

    /// <summary>x [N, D] → [N, D]; the new keys and values go into the layer's cache.</summary>
    private Tensor Layer(int layer, Tensor x, TorchPass pass)
    {
        using var scope = NewDisposeScope();
        var p = _units[layer + 1];
        var normed = F.layer_norm(x, [Model.HiddenSize], p[0], p[1], PhiForward.LayerNormEpsilon);
        var q = _rotary.Rotate(Heads(p[2], p[3]), pass.Positions);
        pass.Put(_keys_STHK[layer], _rotary.Rotate(Heads(p[4], p[5]), pass.Positions));
        pass.Put(_values_STHK[layer], Heads(p[6], p[7]));
        var attended = pass.Attend(q, _keys_STHK[layer], _values_STHK[layer]).reshape(-1, Model.HiddenSize);
        var mlp = F.linear(F.gelu(F.linear(normed, p[10], p[11]), TorchSharp.Modules.GELU.Approximate.tanh), p[12], p[13]);
        return F.linear(attended, p[8], p[9]).Plus(mlp).Plus(x).MoveToOuterDisposeScope();

        Tensor Heads(Tensor weight, Tensor bias) => F.linear(normed, weight, bias).view(-1, Model.Heads, Model.HeadSize);
    }

    private Tensor Indices(IEnumerable<int> values) => tensor(values.Select(value => (long)value).ToArray(), device: _device);

    private unsafe Tensor Load(IModelWeights weights, TensorLayout layout)
    {
        var host = empty(layout.Shape);
        weights.Read(layout.Name, 0, new Span<float>((float*)TensorMemory.Address(host), checked((int)layout.Length)));
        return host.to(_device).DetachFromDisposeScope();
    }
}
