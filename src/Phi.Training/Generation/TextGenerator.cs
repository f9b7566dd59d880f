using Phi.Training.Data;
using Phi.Training.Kernels;
using Phi.Training.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace Phi.Training.Generation;

/// <summary>Samples bytes from a trained model: temperature 0.8, the 40 likeliest tokens, a fixed seed.</summary>
public sealed class TextGenerator : IDisposable
{
    private const float Temperature = 0.8f;
    private const int TopK = 40;
    private readonly ModelConfiguration _model;
    private readonly PhiForward _forward;
    private readonly Tensor[][] _units;

    /// <param name="weights">The values of each parameter, by its name in <see cref="UnitLayout"/>.</param>
    public TextGenerator(ModelConfiguration model, Func<TensorLayout, ReadOnlyMemory<float>> weights)
    {
        _model = model;
        _forward = new PhiForward(model);
        using var scope = NewDisposeScope();
        _units = [.. UnitLayout.Of(model).Select(unit => unit.Tensors.Select(layout => tensor(weights(layout).ToArray(), layout.Shape).DetachFromDisposeScope()).ToArray())];
    }

    /// <summary>The prompt's continuation, at most so many bytes; it ends early at an end-of-text token.</summary>
    public byte[] Continue(byte[] prompt, int tokens, long seed)
    {
        using var noGradient = no_grad();
        var text = prompt.Select(b => (long)b).ToList();
        var made = new List<byte>();
        for (var i = 0; i < tokens; i++)
        {
            var next = Choose(Logits(text), Uniform(seed, i));
            if (next == ByteCorpus.EndOfText)
            {
                break;
            }

            text.Add(next);
            made.Add((byte)next);
        }

        return [.. made];
    }

    public void Dispose()
    {
        _forward.Dispose();
        foreach (var tensor in _units.SelectMany(unit => unit))
        {
            tensor.Dispose();
        }
    }

    private float[] Logits(List<long> text)
    {
        using var scope = NewDisposeScope();
        var window = text.TakeLast(_model.SequenceLength).ToArray();
        var x = _forward.Embed(tensor(window, [1, window.Length]), _units[0]);
        for (var layer = 0; layer < _model.Layers; layer++)
        {
            x = _forward.Layer(x, _units[layer + 1]);
        }

        return _forward.Head(x.narrow(1, window.Length - 1, 1), _units[^1]).data<float>().ToArray();
    }

    private static long Choose(float[] logits, double at)
    {
        var best = logits.Index().OrderByDescending(pair => pair.Item).Take(TopK).ToList();
        var weights = best.Select(pair => Math.Exp((pair.Item - best[0].Item) / Temperature)).ToList();
        var left = at * weights.Sum();
        for (var i = 0; i < best.Count; i++)
        {
            left -= weights[i];
            if (left <= 0)
            {
                return best[i].Index;
            }
        }

        return best[^1].Index;
    }

    private static double Uniform(long seed, int step) => CounterRandom.Below((ulong)seed, (ulong)step, 0, 1 << 24) / (double)(1 << 24);
}
