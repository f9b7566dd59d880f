namespace Phi.Reconcile.Snapshots;

/// <summary>The job whose checkpoint another one begins with.</summary>
/// <param name="IsOver">It will commit no further checkpoint.</param>
/// <param name="IsContainer">Its checkpoints are its program's own.</param>
/// <param name="Step">Of its newest committed checkpoint; null: it has none.</param>
/// <param name="Uri">Of that checkpoint.</param>
/// <param name="SecretName">By which its blobs are read; null: none.</param>
public sealed record SourceSnapshot(string Phase, bool IsOver, bool IsContainer, long? Step, string? Uri, string? SecretName = null);
