namespace Phi.Telemetry.Goodput;

/// <summary>One step that rank 0 reported.</summary>
/// <param name="Seconds">Of the step; 0 if what was reported is no number.</param>
/// <param name="Loss">Null: not reported.</param>
/// <param name="Tokens">Of the run so far; null: not reported, or no number.</param>
public readonly record struct StoredStep(long Step, DateTimeOffset Time, double Seconds, double? Loss, double? Tokens);

/// <summary>Steps of a range.</summary>
/// <param name="Seconds">Of them and of those between two reports.</param>
/// <param name="End">When the last was done; of none, the beginning of 1970.</param>
public readonly record struct StepSum(long Steps, double Seconds, DateTimeOffset End);
