namespace Phi.Data.Shards;

/// <summary>A long sequence of tokens that is read in windows. Safe for several threads.</summary>
public interface ITokenSource
{
    /// <summary>Tokens.</summary>
    long Length { get; }

    /// <summary>Fills the window with the tokens from a position on; all of them must lie within the length.</summary>
    void CopyTo(long start, Span<long> window);
}
