namespace Phi.Collectives;

/// <summary>The ranks did not meet: one is missing, or was refused.</summary>
public sealed class RendezvousException(string message, Exception? inner = null) : Exception(message, inner);
