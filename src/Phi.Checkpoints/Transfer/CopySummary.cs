namespace Phi.Checkpoints.Transfer;

/// <summary>What a copy wrote; <c>--output json</c> prints this.</summary>
/// <param name="BytesCopied">The rest of <paramref name="Bytes"/> was there already, from an earlier copy that was interrupted.</param>
public sealed record CopySummary(string From, string To, long Step, int Files, long Bytes, long BytesCopied);
