namespace Phi.Operator;

/// <summary>A setting of the operator is wrong, or is missing and nothing stands in for it; the message names it and the remedy.</summary>
public sealed class OperatorOptionException(string message) : Exception(message);
