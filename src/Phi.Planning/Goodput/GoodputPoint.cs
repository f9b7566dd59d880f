namespace Phi.Planning.Goodput;

/// <param name="EverySteps">The checkpoints' interval.</param>
/// <param name="Seconds">Of the whole run, in the mean.</param>
/// <param name="Goodput">Share of it that did steps which count.</param>
/// <param name="Failures">In the mean run.</param>
public sealed record GoodputPoint(long EverySteps, double Seconds, double Goodput, double Failures);
