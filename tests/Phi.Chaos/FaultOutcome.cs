using Phi.Chaos.Faults;

namespace Phi.Chaos;

/// <summary>What one fault did.</summary>
/// <param name="Seconds">From the fault to the next new step, by the rank's clock.</param>
/// <param name="LostSteps">Done again.</param>
/// <param name="ReconciledSeconds">From the fault to the operator's next word on the job in its status.</param>
public sealed record FaultOutcome(Fault Fault, double Seconds, long LostSteps, double ReconciledSeconds, int Attempts);
