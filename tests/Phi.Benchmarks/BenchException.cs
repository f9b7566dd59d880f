namespace Phi.Benchmarks;

/// <summary>A bench cannot run here, or a rank of it failed; the message says what to do.</summary>
internal sealed class BenchException(string message) : Exception(message);
