using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Events;

/// <summary>The oldest events that the operator has not taken, all of one attempt.</summary>
/// <param name="End">Number of the event after the last one in memory; null: these are on disk.</param>
internal sealed record EventChunk(int Attempt, IReadOnlyList<RankEvent> Events, long? End = null);
