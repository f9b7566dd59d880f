namespace Phi.Planning.Simulation;

/// <summary>A simulated step, in seconds.</summary>
/// <param name="Seconds">Of the whole step.</param>
/// <param name="Compute">That the mean rank computed.</param>
/// <param name="Exposed">That the mean rank waited for the others and the network.</param>
/// <param name="Communication">That the mean rank's communication stream was at work, its waits for peers included.</param>
public sealed record StepTime(double Seconds, double Compute, double Exposed, double Communication)
{
    /// <summary>Share of the communication that compute hides, from 0 to 1.</summary>
    public double Hidden => Communication > 0 ? Math.Clamp(1 - Exposed / Communication, 0, 1) : 1;
}
