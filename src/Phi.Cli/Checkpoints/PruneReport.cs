using Phi.Checkpoints.Retention;

namespace Phi.Cli.Checkpoints;

/// <summary>What went, or would go, and why the rest stays; <c>phi checkpoint prune --output json</c> prints this.</summary>
internal sealed record PruneReport(string Location, bool IsDryRun, long BytesRemoved, IReadOnlyList<RetentionDecision> Decisions);
