using Phi.Checkpoints.Weights;

namespace Phi.Training.Generation;

/// <summary>Continues tokens with a trained model, one text at a time. Nothing here knows which text they stand for.</summary>
public sealed class TextGenerator : IDisposable
{
    private readonly ICachedForward _forward;

    /// <param name="weights">Read whole; the caller's to dispose.</param>
    public TextGenerator(IModelWeights weights) => _forward = GenerationDevice.Cpu.Load(weights, slots: 1);

    /// <summary>The tokens that follow the prompt, each as soon as it is chosen, for ever: the caller decides where the text ends.</summary>
    /// <param name="prompt">At least one token, each below <paramref name="vocabulary"/>.</param>
    /// <param name="vocabulary">Tokens that stand for text, at most the model's: the rest of the logits is not chosen from.</param>
    /// <exception cref="InvalidOperationException">The model's logits are no numbers.</exception>
    public IEnumerable<int> Continue(IReadOnlyList<int> prompt, int vocabulary, SamplingOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Count);
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabulary, _forward.Model.VocabularySize);
        return Tokens();

        IEnumerable<int> Tokens()
        {
            var batch = new TokenBatch(_forward, vocabulary, options);
            batch.Start(prompt, (ulong)options.Seed, leaps: true);
            while (true)
            {
                foreach (var (_, token) in batch.Step())
                {
                    yield return token;
                }
            }
        }
    }

    public void Dispose() => _forward.Dispose();
}
