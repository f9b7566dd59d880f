namespace Phi.Telemetry.Series;

/// <summary>One stored value.</summary>
public readonly record struct CurvePoint(int Attempt, long Step, long Milliseconds, double Value);
