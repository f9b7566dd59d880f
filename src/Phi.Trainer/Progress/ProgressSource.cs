namespace Phi.Trainer.Progress;

/// <summary>Whose progress a file has: one replica of one attempt.</summary>
internal sealed record ProgressSource(string Namespace, string Job, string JobUid, int Attempt, int Replica);
