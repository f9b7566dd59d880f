namespace Phi.Evaluation;

/// <summary>A suite, completions or results cannot be used; the message names the file, the line and the remedy.</summary>
public sealed class EvaluationException(string message) : Exception(message);
