namespace Phi.Data;

/// <summary>The data cannot be trained on; the message names the source and the remedy.</summary>
public sealed class DataException(string message) : Exception(message);
