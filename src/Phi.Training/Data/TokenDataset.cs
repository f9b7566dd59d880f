namespace Phi.Training.Data;

/// <summary>Packed tokens, and the windows of them that each global sample is: a function of (seed, step, sample), of nothing else.</summary>
public sealed class TokenDataset(ReadOnlyMemory<ushort> tokens)
{
    public long Length => tokens.Length;

    /// <summary>Tokens to train on, and the share at the end that is held out.</summary>
    /// <param name="heldOutFraction">From 0 to 0.5.</param>
    public (TokenDataset Training, TokenDataset HeldOut) Split(double heldOutFraction)
    {
        var trained = tokens.Length - (int)(tokens.Length * heldOutFraction);
        return (new TokenDataset(tokens[..trained]), new TokenDataset(tokens[trained..]));
    }

    /// <summary>Copies sequenceLength + 1 tokens of one global sample; its targets are its inputs moved by one.</summary>
    /// <param name="sample">Index within the global batch of the step.</param>
    public void CopySample(long seed, long step, long sample, Span<long> window)
    {
        var places = tokens.Length - window.Length + 1;
        if (places <= 0)
        {
            throw new DataException($"the corpus has {tokens.Length} tokens; one sequence needs {window.Length}. Add files to data.sources, or lower sequenceLength.");
        }

        var start = (int)Kernels.CounterRandom.Below((ulong)seed, (ulong)step, (ulong)sample, places);
        var source = tokens.Span.Slice(start, window.Length);
        for (var i = 0; i < window.Length; i++)
        {
            window[i] = source[i];
        }
    }
}
