using System.Numerics.Tensors;
using Phi.Training.Kernels;

namespace Phi.Training.Generation;

/// <summary>
/// Continues many texts at once (continuous batching): each has a slot of the forward pass's cache; a slot that is left can be taken by the next
/// text while the others go on. A step is one pass, of a token of each text that is being continued and of as many tokens of new prompts as
/// it has room for. Which tokens a text gets depends on its prompt, its stream and the options alone. Not safe for several threads.
/// </summary>
public sealed class TokenBatch
{
    private const int DrawsResolution = 1 << 24;
    private readonly ICachedForward _forward;
    private readonly int _vocabulary;
    private readonly SamplingOptions _options;
    private readonly TokenSequence?[] _slots;
    private readonly List<TokenRow> _rows = [];
    private readonly List<TokenSequence> _complete = [];
    private readonly float[] _logits;

    /// <param name="forward">The caller's to dispose; of one batch at a time.</param>
    /// <param name="vocabulary">Tokens that stand for text, at most the model's: the rest of the logits is not chosen from.</param>
    /// <param name="options">Its seed is not read: each text has its stream.</param>
    public TokenBatch(ICachedForward forward, int vocabulary, SamplingOptions options)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(vocabulary, forward.Model.VocabularySize);
        (_forward, _vocabulary, _options) = (forward, vocabulary, options);
        _slots = new TokenSequence?[forward.Slots];
        _logits = new float[forward.Slots * forward.Model.VocabularySize];
    }

    public bool HasRoom => Array.Exists(_slots, slot => slot is null);

    public bool IsEmpty => Array.TrueForAll(_slots, slot => slot is null);

    private IEnumerable<TokenSequence> Sequences => _slots.OfType<TokenSequence>();

    /// <summary>Takes a free slot for a text.</summary>
    /// <param name="prompt">At least one token, each below the vocabulary; shorter than the sequence length, unless the window leaps.</param>
    /// <param name="stream">Of random numbers: two texts with the same prompt and stream are the same.</param>
    /// <param name="leaps">A text longer than the sequence length goes on in the window of <see cref="ContextWindow"/>.</param>
    public TokenSequence Start(IReadOnlyList<int> prompt, ulong stream, bool leaps = false)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Count);
        if (!leaps && prompt.Count >= _forward.Model.SequenceLength)
        {
            throw new ArgumentException($"a prompt of {prompt.Count} tokens leaves no room for another in a sequence of {_forward.Model.SequenceLength}; shorten it");
        }

        var slot = Array.IndexOf(_slots, null);
        var sequence = new TokenSequence(prompt, stream, slot >= 0 ? slot : throw new InvalidOperationException("every slot is taken; end a sequence first"), _forward.Model.SequenceLength, leaps);
        _slots[slot] = sequence;
        FindSource(sequence);
        return sequence;
    }

    /// <summary>Frees a text's slot.</summary>
    public void End(TokenSequence sequence)
    {
        _slots[sequence.Slot] = null;
        foreach (var waiting in Sequences.Where(other => other.Source == sequence))
        {
            waiting.Source = null;
            FindSource(waiting);
        }
    }

    /// <summary>One pass: the texts that got a token, with it. A text that is full must have been ended.</summary>
    /// <exception cref="InvalidOperationException">The model's logits are no numbers.</exception>
    public IReadOnlyList<(TokenSequence Sequence, int Token)> Step()
    {
        Collect();
        _forward.Run(_rows, _logits);
        foreach (var waiting in Sequences)
        {
            TakeFromSource(waiting);
        }

        var tokens = new int[_complete.Count];
        Choose(tokens);
        for (var i = 0; i < tokens.Length; i++)
        {
            _complete[i].Text.Add(tokens[i]);
        }

        return [.. _complete.Zip(tokens)];
    }

    /// <summary>The rows of the next pass: first those of texts that lack one token, then prompts as far as they fit.</summary>
    private void Collect()
    {
        _rows.Clear();
        _complete.Clear();
        foreach (var sequence in Sequences)
        {
            if (sequence.IsFull)
            {
                throw new InvalidOperationException($"a text of {sequence.Text.Count} tokens is as long as a sequence can be; end it");
            }

            sequence.MoveWindow();
        }

        foreach (var sequence in Sequences.Where(sequence => sequence.Source is null).OrderBy(sequence => sequence.Pending > 1))
        {
            var count = Math.Min(sequence.Pending, _forward.Rows - _rows.Count);
            var isComplete = count == sequence.Pending;
            for (var i = 0; i < count; i++)
            {
                var position = sequence.Cached + i;
                _rows.Add(new TokenRow(sequence.Slot, position, sequence.Text[sequence.WindowStart + position], isComplete && i == count - 1));
            }

            sequence.Cached += count;
            if (isComplete)
            {
                _complete.Add(sequence);
            }
        }
    }

    private void Choose(int[] tokens)
    {
        var size = _forward.Model.VocabularySize;
        if (tokens.Length == 1 || _vocabulary < 1 << 12)
        {
            for (var i = 0; i < tokens.Length; i++)
            {
                ChooseOne(i);
            }
        }
        else
        {
            Parallel.For(0, tokens.Length, ChooseOne);
        }

        void ChooseOne(int i)
        {
            var logits = _logits.AsSpan(i * size, _vocabulary);
            if (!TensorPrimitives.IsFiniteAll<float>(logits))
            {
                throw new InvalidOperationException("the model's logits are not finite: its training had diverged when the checkpoint was written; name an earlier one");
            }

            var at = CounterRandom.Below(_complete[i].Stream, (ulong)_complete[i].Generated, 0, DrawsResolution) / (double)DrawsResolution;
            tokens[i] = TokenSampler.Choose(logits, _options, at);
        }
    }

    /// <summary>Of the same prompt one goes through; the others take its keys and values, and run the last token alone.</summary>
    private void FindSource(TokenSequence sequence)
    {
        var source = Sequences.FirstOrDefault(other => other != sequence && other.Source is null && other.WindowStart == 0 && other.Prompt.SequenceEqual(sequence.Prompt));
        if (source is not null && sequence.Prompt.Count > 1 && sequence.Prompt.Count <= _forward.Model.SequenceLength && sequence.Cached == 0)
        {
            sequence.Source = source;
            TakeFromSource(sequence);
        }
    }

    private void TakeFromSource(TokenSequence sequence)
    {
        var shared = sequence.Prompt.Count - 1;
        if (sequence.Source is { } source && source.Cached >= shared)
        {
            _forward.Copy(source.Slot, sequence.Slot, shared);
            (sequence.Cached, sequence.Source) = (shared, null);
        }
    }
}
