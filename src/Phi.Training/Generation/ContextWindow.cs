namespace Phi.Training.Generation;

/// <summary>
/// Which part of a text longer than the sequence length the model sees. The window's start moves in leaps of half the sequence length:
/// what is cached holds between two leaps, so that a token costs one pass over itself instead of one over the window.
/// </summary>
public static class ContextWindow
{
    /// <summary>The first token of the window for a text of so many tokens; the window is at most the sequence length.</summary>
    public static int Start(int tokens, int sequenceLength)
    {
        var leap = Math.Max(1, sequenceLength / 2);
        return tokens <= sequenceLength ? 0 : (tokens - sequenceLength + leap - 1) / leap * leap;
    }
}
