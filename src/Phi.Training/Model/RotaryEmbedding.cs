using Phi.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Phi.Training.Model;

/// <summary>
/// Rotary position embedding (arXiv 2104.09864) of the first rotaryDim dimensions of each head, in the rotate-half form of Hugging Face's
/// phi. T positions, R rotary dimension.
/// </summary>
internal sealed class RotaryEmbedding : IDisposable
{
    private const double Base = 10000.0;
    private readonly ModelConfiguration _model;
    private readonly Tensor _cos_TR;
    private readonly Tensor _sin_TR;

    public RotaryEmbedding(ModelConfiguration model, ScalarType type, Device device)
    {
        _model = model;
        var cos = new float[model.SequenceLength * model.RotaryDim];
        var sin = new float[cos.Length];
        for (var i = 0; i < cos.Length; i++)
        {
            var frequency = Math.Pow(Base, -2.0 * (i % model.RotaryDim % (model.RotaryDim / 2)) / model.RotaryDim);
            (var s, var c) = Math.SinCos(i / model.RotaryDim * frequency);
            (cos[i], sin[i]) = ((float)c, (float)s);
        }

        using var scope = NewDisposeScope();
        _cos_TR = Table(cos);
        _sin_TR = Table(sin);

        Tensor Table(float[] values) => tensor(values, [model.SequenceLength, model.RotaryDim]).to(type).to(device).DetachFromDisposeScope();
    }

    /// <summary>x [..., N, K] of N positions from <paramref name="first"/> on → the same shape, turned.</summary>
    public Tensor Rotate(Tensor x, long first, long positions)
    {
        int r = _model.RotaryDim, half = r / 2;
        var rotated = x.narrow(-1, 0, r);
        var turned = cat([rotated.narrow(-1, half, half).neg(), rotated.narrow(-1, 0, half)], -1);
        var part = (rotated * _cos_TR.narrow(0, first, positions)).Plus(turned * _sin_TR.narrow(0, first, positions));
        return r == _model.HeadSize ? part : cat([part, x.narrow(-1, r, _model.HeadSize - r)], -1);
    }

    public void Dispose()
    {
        _cos_TR.Dispose();
        _sin_TR.Dispose();
    }
}
