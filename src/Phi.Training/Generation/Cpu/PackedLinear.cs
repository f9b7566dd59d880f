using System.Runtime.Intrinsics;

namespace Phi.Training.Generation.Cpu;

/// <summary>
/// Linear maps with a common input, or a common sum, as one: rows x [N, I] → x·Wᵀ + b [N, O]. Weights lie in panels of 32 outputs,
/// [O / 32, I, 32], each read from its beginning to its end. Every output is one chain of fused multiplications and additions over its
/// inputs in their order, so that a row's result is the same bits however many rows there are.
/// </summary>
internal sealed unsafe class PackedLinear : IDisposable
{
    /// <summary>Outputs of a panel; blocks of inputs and outputs begin at its multiples.</summary>
    public const int Panel = 32;
    private readonly FloatMemory _weights;
    private readonly FloatMemory _bias;

    /// <param name="inputs">A multiple of <see cref="Panel"/>, as outputs.</param>
    public PackedLinear(int inputs, int outputs)
    {
        (Inputs, Outputs) = (inputs, outputs);
        _weights = new FloatMemory((long)inputs * outputs);
        _bias = new FloatMemory(outputs);
    }

    public int Inputs { get; }

    public int Outputs { get; }

    /// <summary>Sets a block of the map; biases of blocks that share outputs are added.</summary>
    /// <param name="weight">[bias's length, inputs].</param>
    public void Set(int firstOutput, int firstInput, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias)
    {
        var inputs = weight.Length / bias.Length;
        for (var o = 0; o < bias.Length; o++)
        {
            var (panel, lane) = Math.DivRem(firstOutput + o, Panel);
            var to = _weights.Address + ((long)panel * Inputs + firstInput) * Panel + lane;
            for (var i = 0; i < inputs; i++)
            {
                to[(long)i * Panel] = weight[o * inputs + i];
            }

            _bias.Address[firstOutput + o] += bias[o];
        }
    }

    /// <param name="x">Rows <see cref="Inputs"/> apart.</param>
    /// <param name="y">Rows <see cref="Outputs"/> apart.</param>
    /// <param name="adds">Whether the result is added to what is there.</param>
    public void Apply(float* x, float* y, int rows, bool adds) => Workers.Run(Outputs / Panel, (long)rows * Inputs * Outputs, (first, end) =>
    {
        for (var panel = first; panel < end; panel++)
        {
            var row = 0;
            for (; row <= rows - 4; row += 4)
            {
                FourRows(x + (long)row * Inputs, panel, y + (long)row * Outputs, adds);
            }

            for (; row < rows; row++)
            {
                OneRow(x + (long)row * Inputs, panel, y + (long)row * Outputs, adds);
            }
        }
    });

    public void Dispose()
    {
        _weights.Dispose();
        _bias.Dispose();
    }

    private void OneRow(float* x, int panel, float* y, bool adds)
    {
        var w = _weights.Address + (long)panel * Inputs * Panel;
        Vector512<float> a0 = default, a1 = default;
        for (nint i = 0; i < Inputs; i++, w += Panel)
        {
            var value = Vector512.Create(x[i]);
            a0 = Vector512.FusedMultiplyAdd(value, Vector512.Load(w), a0);
            a1 = Vector512.FusedMultiplyAdd(value, Vector512.Load(w + Lanes.Count), a1);
        }

        Store(a0, a1, panel, y, adds);
    }

    private void FourRows(float* x, int panel, float* y, bool adds)
    {
        var w = _weights.Address + (long)panel * Inputs * Panel;
        nint stride = Inputs;
        Vector512<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        for (nint i = 0; i < Inputs; i++, w += Panel)
        {
            var (w0, w1) = (Vector512.Load(w), Vector512.Load(w + Lanes.Count));
            var value = Vector512.Create(x[i]);
            a0 = Vector512.FusedMultiplyAdd(value, w0, a0);
            a1 = Vector512.FusedMultiplyAdd(value, w1, a1);
            value = Vector512.Create(x[i + stride]);
            b0 = Vector512.FusedMultiplyAdd(value, w0, b0);
            b1 = Vector512.FusedMultiplyAdd(value, w1, b1);
            value = Vector512.Create(x[i + 2 * stride]);
            c0 = Vector512.FusedMultiplyAdd(value, w0, c0);
            c1 = Vector512.FusedMultiplyAdd(value, w1, c1);
            value = Vector512.Create(x[i + 3 * stride]);
            d0 = Vector512.FusedMultiplyAdd(value, w0, d0);
            d1 = Vector512.FusedMultiplyAdd(value, w1, d1);
        }

        Store(a0, a1, panel, y, adds);
        Store(b0, b1, panel, y + Outputs, adds);
        Store(c0, c1, panel, y + 2L * Outputs, adds);
        Store(d0, d1, panel, y + 3L * Outputs, adds);
    }

    private void Store(Vector512<float> low, Vector512<float> high, int panel, float* y, bool adds)
    {
        var bias = _bias.Address + panel * Panel;
        y += panel * Panel;
        (low, high) = (low + Vector512.Load(bias), high + Vector512.Load(bias + Lanes.Count));
        if (adds)
        {
            (low, high) = (low + Vector512.Load(y), high + Vector512.Load(y + Lanes.Count));
        }

        Vector512.Store(low, y);
        Vector512.Store(high, y + Lanes.Count);
    }
}
