namespace Phi.Data.Preparation;

/// <summary>How far a preparation is. Bytes are of text, read and new.</summary>
public sealed record PrepareProgress(long Documents, long Duplicates, long Tokens, long Bytes);
