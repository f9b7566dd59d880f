namespace Phi.Evaluation.Sandbox;

/// <summary>This machine cannot isolate a program, so none is run. The message names what is missing and the remedy.</summary>
public sealed class SandboxException(string message) : Exception(message);
