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
    internal const double LayerNormEpsilon = 1e-5;
    private readonly ModelConfiguration _model;
    private readonly RotaryEmbedding _rotary;

    /// <param name="device">Of all tensors; null: the CPU.</param>
    public PhiForward(ModelConfiguration model, ComputePrecision precision = ComputePrecision.Fp32, Device? device = null)
    {
        model.Validate();
        _model = model;
        _rotary = new RotaryEmbedding(model, precision.TorchType, device ?? CPU);
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
        var q = _rotary.Rotate(Heads(F.linear(normed, p[2], p[3])), 0, t);
        var k = _rotary.Rotate(Heads(F.linear(normed, p[4], p[5])), 0, t);
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
        _rotary.Dispose();
    }
}
