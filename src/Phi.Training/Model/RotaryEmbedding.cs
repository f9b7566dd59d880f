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
        var (cos, sin) = Table(model);
        using var scope = NewDisposeScope();
        _cos_TR = BothHalves(cos);
        _sin_TR = BothHalves(sin);

        Tensor BothHalves(float[] values)
        {
            var table = tensor(values, [model.SequenceLength, model.RotaryDim / 2]);
            return cat([table, table], -1).to(type).to(device).DetachFromDisposeScope();
        }
    }

    /// <summary>Cosine and sine of the angle at each position of each pair of dimensions, [T, R / 2].</summary>
    public static (float[] Cos, float[] Sin) Table(ModelConfiguration model)
    {
        var half = model.RotaryDim / 2;
        var cos = new float[model.SequenceLength * half];
        var sin = new float[cos.Length];
        for (var i = 0; i < cos.Length; i++)
        {
            var frequency = Math.Pow(Base, -2.0 * (i % half) / model.RotaryDim);
            (var s, var c) = Math.SinCos(i / half * frequency);
            (cos[i], sin[i]) = ((float)c, (float)s);
        }

        return (cos, sin);
    }

    /// <summary>x [..., N, K] of N positions from <paramref name="first"/> on → the same shape, turned.</summary>
    public Tensor Rotate(Tensor x, long first, long positions) => Rotate(x, _cos_TR.narrow(0, first, positions), _sin_TR.narrow(0, first, positions));

    /// <summary>x [N, H, K], each row at its own position (positions [N], int64) → the same shape, turned.</summary>
    public Tensor Rotate(Tensor x, Tensor positions) => Rotate(x, _cos_TR.index_select(0, positions).unsqueeze(1), _sin_TR.index_select(0, positions).unsqueeze(1));

    public void Dispose()
    {
        _cos_TR.Dispose();
        _sin_TR.Dispose();
    }

    private Tensor Rotate(Tensor x, Tensor cos, Tensor sin)
    {
        int r = _model.RotaryDim, half = r / 2;
        var rotated = x.narrow(-1, 0, r);
        var turned = cat([rotated.narrow(-1, half, half).neg(), rotated.narrow(-1, 0, half)], -1);
        var part = (rotated * cos).Plus(turned * sin);
        return r == _model.HeadSize ? part : cat([part, x.narrow(-1, r, _model.HeadSize - r)], -1);
    }
}
