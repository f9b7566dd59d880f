namespace Phi.Training.Loop;

/// <summary>What one step did; the same on every rank but for its times.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Loss">Mean over the global batch before the update, nats per token.</param>
/// <param name="GradientNorm">Global, before clipping.</param>
/// <param name="Tokens">Trained on in this step by all ranks.</param>
/// <param name="WaitSeconds">Of <paramref name="Seconds"/>, what this rank's compute waited for the other ranks and the network.</param>
/// <param name="Batch">What it trained on: the batch's number in the order of the data, from 0.</param>
public sealed record StepResult(long Step, float Loss, float LearningRate, float GradientNorm, long Tokens, double Seconds, double WaitSeconds, long Batch);
