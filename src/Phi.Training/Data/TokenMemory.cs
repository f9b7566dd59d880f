using Phi.Data.Shards;

namespace Phi.Training.Data;

/// <summary>Tokens that are in memory already.</summary>
internal sealed class TokenMemory(ReadOnlyMemory<ushort> tokens) : ITokenSource
{
    public long Length => tokens.Length;

    public void CopyTo(long start, Span<long> window)
    {
        var source = tokens.Span.Slice((int)start, window.Length);
        for (var i = 0; i < window.Length; i++)
        {
            window[i] = source[i];
        }
    }
}
