namespace Phi.Planning.Simulation;

/// <summary>The job on so many nodes.</summary>
/// <param name="GlobalBatch">Sequences of a step.</param>
/// <param name="Efficiency">Its tokens a second and accelerator, of those on one node.</param>
public sealed record ScalingPoint(int Nodes, int Accelerators, int GlobalBatch, int MicroBatch, double StepSeconds, double TokensPerSecond, double Mfu, double ExposedSeconds, double Efficiency);
