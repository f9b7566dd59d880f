namespace Phi.Evaluation.Grading;

/// <summary>A completion to judge.</summary>
/// <param name="Number">From 0, within the problem.</param>
public sealed record Sample(Suites.Problem Problem, int Number, string Completion);
