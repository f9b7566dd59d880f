using Phi.Training.Devices;
using Phi.Training.Kernels;
using Phi.Training.Zero;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Phi.Training.Model;

/// <summary>
/// The forward pass of each unit over parameters given as tensors. Attention and MLP run in parallel from one LayerNorm.
/// Shapes: B sequences, T positions, D hidden, H heads, K head size, V vocabulary.
/// </summary>
public sealed class PhiForward : IDisposable
{
    private const double LayerNormEpsilon = 1e-5;
    private const double RotaryBase = 10000.0;
    private readonly ModelConfiguration _model;
    private readonly Tensor _cos_TR;
    private readonly Tensor _sin_TR;

    /// <param name="device">Of all tensors; null: the CPU.</param>
    public PhiForward(ModelConfiguration model, ComputePrecision precision = ComputePrecision.Fp32, Device? device = null)
    {
        model.Validate();
        _model = model;
        var cos = new float[model.SequenceLength * model.RotaryDim];
        var sin = new float[cos.Length];
        for (var i = 0; i < cos.Length; i++)
        {
            var frequency = Math.Pow(RotaryBase, -2.0 * (i % model.RotaryDim % (model.RotaryDim / 2)) / model.RotaryDim);
            (var s, var c) = Math.SinCos(i / model.RotaryDim * frequency);
            (cos[i], sin[i]) = ((float)c, (float)s);
        }

        using var scope = NewDisposeScope();
        _cos_TR = Table(cos);
        _sin_TR = Table(sin);

        Tensor Table(float[] values) => torch.tensor(values, [model.SequenceLength, model.RotaryDim]).to(precision.TorchType).to(device ?? CPU).DetachFromDisposeScope();
    }

    /// <summary>tokens [B, T] (int64), parameters of the embedding unit → [B, T, D].</summary>
    public Tensor Embed(Tensor tokens, IReadOnlyList<Tensor> p) =>
        TorchDispatcher.Embedding(p[0], tokens.reshape(-1)).view(tokens.shape[0], tokens.shape[1], _model.HiddenSize);

    /// <summary>x [B, T, D] → x + attention(ln(x)) + mlp(ln(x)), [B, T, D].</summary>
    public Tensor Layer(Tensor x, IReadOnlyList<Tensor> p) => Layer(x, p, null, 0);

    /// <param name="dropout">Null: none.</param>
    /// <param name="layer">Index of the layer, for the dropout's masks.</param>
    internal Tensor Layer(Tensor x, IReadOnlyList<Tensor> p, Dropout? dropout, int layer)
    {
        using var scope = NewDisposeScope();
        long b = x.shape[0], t = x.shape[1];
        var normed = F.layer_norm(x, [_model.HiddenSize], p[0], p[1], LayerNormEpsilon);
        var q = Rotate(Heads(F.linear(normed, p[2], p[3])), t);
        var k = Rotate(Heads(F.linear(normed, p[4], p[5])), t);
        var v = Heads(F.linear(normed, p[6], p[7]));
        var values = dropout?.Attention(q, k, v, layer) ?? F.scaled_dot_product_attention(q, k, v, is_casual: true);
        var attended = values.transpose(1, 2).reshape(b, t, _model.HiddenSize);
        var attention = F.linear(attended, p[8], p[9]);
        var mlp = F.linear(F.gelu(F.linear(normed, p[10], p[11]), TorchSharp.Modules.GELU.Approximate.tanh), p[12], p[13]);
        if (dropout is not null)
        {
            attention = dropout.Residual(attention, layer, Dropout.Place.AttentionOutput);
            mlp = dropout.Residual(mlp, layer, Dropout.Place.MlpOutput);
        }

        return attention.Plus(mlp).Plus(x).MoveToOuterDisposeScope();

        Tensor Heads(Tensor y) => y.view(b, t, _model.Heads, _model.HeadSize).transpose(1, 2);
    }

    /// <summary>x [B, T, D] → logits [B·T, V], always fp32: the loss is a sum over the vocabulary.</summary>
    public Tensor Head(Tensor x, IReadOnlyList<Tensor> p)
    {
        using var scope = NewDisposeScope();
        var normed = F.layer_norm(x, [_model.HiddenSize], p[0], p[1], LayerNormEpsilon);
        return F.linear(normed, p[2], p[3]).view(-1, _model.VocabularySize).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _cos_TR.Dispose();
        _sin_TR.Dispose();
    }

    /// <summary>Rotary embedding of the first rotaryDim dimensions of each head: x [B, H, T, K].</summary>
    private Tensor Rotate(Tensor x, long t)
    {
        int r = _model.RotaryDim, half = r / 2;
        var rotated = x.narrow(-1, 0, r);
        var turned = cat([rotated.narrow(-1, half, half).neg(), rotated.narrow(-1, 0, half)], -1);
        var turnedPart = (rotated * _cos_TR.narrow(0, 0, t)).Plus(turned * _sin_TR.narrow(0, 0, t));
        return r == _model.HeadSize ? turnedPart : cat([turnedPart, x.narrow(-1, r, _model.HeadSize - r)], -1);
    }
}
