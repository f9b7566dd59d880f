using Phi.Data.Shards;

namespace Phi.Trainer.Tests;

/// <summary>Tokens of a small corpus that remember where each window began.</summary>
internal sealed class RecordedTokens : ITokenSource
{
    private static readonly byte[] Text = System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(i => $"def f{i % 17}(x): return x * {i % 5} + {i % 7}\n")));

    public List<long> Starts { get; } = [];

    public long Length => Text.Length;

    public void CopyTo(long start, Span<long> window)
    {
        Starts.Add(start);
        for (var i = 0; i < window.Length; i++)
        {
            window[i] = Text[start + i];
        }
    }
}
