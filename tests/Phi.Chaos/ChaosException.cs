namespace Phi.Chaos;

/// <summary>Something that must hold did not.</summary>
public sealed class ChaosException(string message) : Exception(message);
