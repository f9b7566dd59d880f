namespace Phi.Training.Generation;

/// <summary>A text in a <see cref="TokenBatch"/>.</summary>
public sealed class TokenSequence
{
    private readonly int _sequenceLength;
    private readonly bool _leaps;

    internal TokenSequence(IReadOnlyList<int> prompt, ulong stream, int slot, int sequenceLength, bool leaps)
    {
        (Prompt, Stream, Slot, _sequenceLength, _leaps) = (prompt, stream, slot, sequenceLength, leaps);
        Text = [.. prompt];
    }

    public IReadOnlyList<int> Prompt { get; }

    /// <summary>Tokens that were chosen.</summary>
    public int Generated => Text.Count - Prompt.Count;

    /// <summary>Whether the text has come to the sequence length, so that no token can follow.</summary>
    public bool IsFull => !_leaps && Text.Count >= _sequenceLength;

    internal ulong Stream { get; }

    internal int Slot { get; }

    /// <summary>Prompt and what was chosen.</summary>
    internal List<int> Text { get; }

    /// <summary>Tokens of the window that the slot's cache holds.</summary>
    internal int Cached { get; set; }

    /// <summary>The first token that the model sees.</summary>
    internal int WindowStart { get; private set; }

    /// <summary>A sequence of the same prompt, whose cache this one waits for.</summary>
    internal TokenSequence? Source { get; set; }

    /// <summary>Tokens to be run before the next can be chosen.</summary>
    internal int Pending => Text.Count - WindowStart - Cached;

    /// <summary>Moves the window to where it belongs; nothing is cached of one that has moved.</summary>
    internal void MoveWindow()
    {
        var start = ContextWindow.Start(Text.Count, _sequenceLength);
        if (start != WindowStart)
        {
            (WindowStart, Cached) = (start, 0);
        }
    }
}
