namespace Phi.Evaluation.Sandbox;

/// <param name="Message">Why it did not pass; empty where it did.</param>
/// <param name="Seconds">From the start of the program to the verdict.</param>
/// <param name="Output">Standard output of the program, cut at the bound.</param>
/// <param name="Error">Standard error, likewise.</param>
public sealed record SandboxResult(Verdict Verdict, string Message, double Seconds, string Output, string Error);
