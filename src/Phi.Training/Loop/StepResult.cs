namespace Phi.Training.Loop;

/// <summary>What one step did; the same on every rank but for <see cref="Seconds"/>.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Loss">Mean over the global batch before the update, nats per token.</param>
/// <param name="GradientNorm">Global, before clipping.</param>
/// <param name="Tokens">Trained on in this step by all ranks.</param>
public sealed record StepResult(long Step, float Loss, float LearningRate, float GradientNorm, long Tokens, double Seconds);
