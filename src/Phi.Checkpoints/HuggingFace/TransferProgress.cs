namespace Phi.Checkpoints.HuggingFace;

/// <summary>How far an export or import is, in bytes that are written.</summary>
public readonly record struct TransferProgress(long Bytes, long TotalBytes);
