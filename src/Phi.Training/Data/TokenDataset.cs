using Phi.Data;
using Phi.Data.Shards;
using Phi.Training.Kernels;

namespace Phi.Training.Data;

/// <summary>Tokens, and the windows of them that each global sample is: a function of (seed, step, sample), of nothing else.</summary>
public sealed class TokenDataset
{
    private readonly ITokenSource _source;
    private readonly long _start;

    public TokenDataset(ReadOnlyMemory<ushort> tokens)
        : this(new TokenMemory(tokens))
    {
    }

    public TokenDataset(ITokenSource source)
        : this(source, 0, source.Length)
    {
    }

    private TokenDataset(ITokenSource source, long start, long length) => (_source, _start, Length) = (source, start, length);

    public long Length { get; }

    /// <summary>Tokens to train on, and the share at the end that is held out.</summary>
    /// <param name="heldOutFraction">From 0 to 0.5.</param>
    public (TokenDataset Training, TokenDataset HeldOut) Split(double heldOutFraction)
    {
        var heldOut = (long)(Length * heldOutFraction);
        return (new TokenDataset(_source, _start, Length - heldOut), new TokenDataset(_source, _start + Length - heldOut, heldOut));
    }

    /// <summary>Copies sequenceLength + 1 tokens of one global sample; its targets are its inputs moved by one.</summary>
    /// <param name="sample">Index within the global batch of the step.</param>
    public void CopySample(long seed, long step, long sample, Span<long> window)
    {
        var places = Length - window.Length + 1;
        if (places <= 0)
        {
            throw new DataException($"the corpus has {Length} tokens; one sequence needs {window.Length}. Add files to data.sources, or lower sequenceLength.");
        }

        _source.CopyTo(_start + CounterRandom.Below((ulong)seed, (ulong)step, (ulong)sample, places), window);
    }
}
