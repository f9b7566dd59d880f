using Phi.Checkpoints.Weights;
using Phi.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Phi.Training.Generation;

/// <summary>Continues tokens with a trained model. Nothing here knows which text they stand for.</summary>
public sealed class TextGenerator : IDisposable
{
    private readonly ModelConfiguration _model;
    private readonly Tensor[][] _units;
    private readonly CachedForward _forward;

    /// <param name="weights">Read whole; the caller's to dispose.</param>
    public TextGenerator(IModelWeights weights)
    {
        _model = weights.Model;
        _model.Validate();
        _units = [.. UnitLayout.Of(_model).Select(unit => unit.Tensors.Select(layout => Load(weights, layout)).ToArray())];
        _forward = new CachedForward(_model, _units);
    }

    /// <summary>The tokens that follow the prompt, each as soon as it is chosen, for ever: the caller decides where the text ends.</summary>
    /// <param name="prompt">At least one token, each below <paramref name="vocabulary"/>.</param>
    /// <param name="vocabulary">Tokens that stand for text, at most the model's: the rest of the logits is not chosen from.</param>
    /// <exception cref="InvalidOperationException">The model's logits are no numbers.</exception>
    public IEnumerable<int> Continue(IReadOnlyList<int> prompt, int vocabulary, SamplingOptions options)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabulary, _model.VocabularySize);
        return Tokens();

        IEnumerable<int> Tokens()
        {
            var text = prompt.ToList();
            _forward.Restart();
            for (var step = 0; ; step++)
            {
                var next = TokenSampler.Choose(Checked(Logits(text)).AsSpan(0, vocabulary), options, Uniform(options.Seed, step));
                text.Add(next);
                yield return next;
            }
        }
    }

    public void Dispose()
    {
        _forward.Dispose();
        foreach (var tensor in _units.SelectMany(unit => unit))
        {
            tensor.Dispose();
        }
    }

    /// <summary>Logits after the text; one token more than at the last call, unless the cache is empty.</summary>
    private float[] Logits(List<int> text)
    {
        var start = ContextWindow.Start(text.Count, _model.SequenceLength);
        if (_forward.Length != text.Count - start - 1)
        {
            _forward.Restart();
        }

        return _forward.Append([.. text.Skip(start + _forward.Length)]);
    }

    private static float[] Checked(float[] logits) =>
        Array.TrueForAll(logits, float.IsFinite) ? logits : throw new InvalidOperationException("the model's logits are not finite: its training had diverged when the checkpoint was written; name an earlier one");

    private static unsafe Tensor Load(IModelWeights weights, TensorLayout layout)
    {
        var tensor = empty(layout.Shape).DetachFromDisposeScope();
        weights.Read(layout.Name, 0, new Span<float>((float*)TensorMemory.Address(tensor), checked((int)layout.Length)));
        return tensor;
    }

    private static double Uniform(long seed, int step) => CounterRandom.Below((ulong)seed, (ulong)step, 0, 1 << 24) / (double)(1 << 24);
}
