namespace Phi.Data.Preparation;

/// <summary>How far a preparation is. Documents are the kept ones; bytes are of all text that was read.</summary>
public sealed record PrepareProgress(long Documents, long Duplicates, long Filtered, long Tokens, long Bytes);
