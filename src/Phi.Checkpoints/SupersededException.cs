namespace Phi.Checkpoints;

/// <summary>A newer attempt of the run has begun; this one must end, and commits nothing any more.</summary>
public sealed class SupersededException(string runId, int attempt, int newest) : Exception($"attempt {attempt} of run {runId} is superseded by attempt {newest}: it commits no checkpoint any more");
