using Phi.Training.Kernels;
using Phi.Training.Model;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Phi.Training.Generation;

/// <summary>
/// The forward pass of one sequence that keeps every layer's keys and values: a further token costs one pass over itself. fp32, without
/// dropout; the same function as <see cref="PhiForward"/>.
/// Shapes: T positions, N of them new, D hidden, H heads, K head size, R rotary dimension, V vocabulary.
/// </summary>
internal sealed class CachedForward : IDisposable
{
    private readonly ModelConfiguration _model;
    private readonly IReadOnlyList<IReadOnlyList<Tensor>> _units;
    private readonly RotaryEmbedding _rotary;
    private readonly Tensor[] _keys_HTK;
    private readonly Tensor[] _values_HTK;

    /// <param name="units">The parameters of each unit, in the order of <see cref="UnitLayout"/>; the caller's to dispose.</param>
    public CachedForward(ModelConfiguration model, IReadOnlyList<IReadOnlyList<Tensor>> units)
    {
        (_model, _units) = (model, units);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _rotary = new RotaryEmbedding(model, ScalarType.Float32, CPU);
        _keys_HTK = [.. Enumerable.Range(0, model.Layers).Select(_ => Cache())];
        _values_HTK = [.. Enumerable.Range(0, model.Layers).Select(_ => Cache())];

        Tensor Cache() => zeros(model.Heads, model.SequenceLength, model.HeadSize).DetachFromDisposeScope();
    }

    /// <summary>Tokens seen since the last <see cref="Restart"/>, at most the sequence length.</summary>
    public int Length { get; private set; }

    public void Restart() => Length = 0;

    /// <summary>Logits [V] after the last of the tokens. More than one is for a sequence's start alone.</summary>
    public float[] Append(ReadOnlySpan<int> tokens)
    {
        if (tokens.Length == 0 || Length + tokens.Length > _model.SequenceLength || (tokens.Length > 1 && Length > 0))
        {
            throw new ArgumentException($"{tokens.Length} tokens after {Length} do not fit a sequence of {_model.SequenceLength}: append one, or restart");
        }

        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var ids = new long[tokens.Length];
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = tokens[i];
        }

        var x = _units[0][0].index_select(0, tensor(ids));
        for (var layer = 0; layer < _model.Layers; layer++)
        {
            x = Layer(layer, x);
        }

        Length += ids.Length;
        var head = _units[^1];
        var normed = F.layer_norm(x.narrow(0, ids.Length - 1, 1), [_model.HiddenSize], head[0], head[1], PhiForward.LayerNormEpsilon);
        return F.linear(normed, head[2], head[3]).data<float>().ToArray();
    }

    public void Dispose()
    {
        foreach (var owned in (IEnumerable<Tensor>)[.. _keys_HTK, .. _values_HTK])
        {
            owned.Dispose();
        }

        _rotary.Dispose();
    }

    /// <summary>x [N, D] → [N, D]; the new keys and values go into the layer's cache.</summary>
    private Tensor Layer(int layer, Tensor x)
    {
        using var scope = NewDisposeScope();
        var p = _units[layer + 1];
        var n = x.shape[0];
        var normed = F.layer_norm(x, [_model.HiddenSize], p[0], p[1], PhiForward.LayerNormEpsilon);
        var q = _rotary.Rotate(Heads(p[2], p[3]), Length, n);
        _keys_HTK[layer].narrow(1, Length, n).copy_(_rotary.Rotate(Heads(p[4], p[5]), Length, n));
        _values_HTK[layer].narrow(1, Length, n).copy_(Heads(p[6], p[7]));
        var keys = _keys_HTK[layer].narrow(1, 0, Length + n).unsqueeze(0);
        var values = _values_HTK[layer].narrow(1, 0, Length + n).unsqueeze(0);
        // A single new token sees all that are cached: nothing is to be masked.
        var attended = F.scaled_dot_product_attention(q.unsqueeze(0), keys, values, is_casual: n > 1).squeeze(0).transpose(0, 1).reshape(n, _model.HiddenSize);
        var mlp = F.linear(F.gelu(F.linear(normed, p[10], p[11]), TorchSharp.Modules.GELU.Approximate.tanh), p[12], p[13]);
        return F.linear(attended, p[8], p[9]).Plus(mlp).Plus(x).MoveToOuterDisposeScope();

        Tensor Heads(Tensor weight, Tensor bias) => F.linear(normed, weight, bias).view(n, _model.Heads, _model.HeadSize).transpose(0, 1);
    }
}
