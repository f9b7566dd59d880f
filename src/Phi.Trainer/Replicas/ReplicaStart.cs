namespace Phi.Trainer.Replicas;

/// <summary>What an agent tells its ranks of the copies that it holds.</summary>
/// <param name="Folder">In the pod's memory.</param>
/// <param name="Address">At which the other pods' ranks reach it.</param>
internal sealed record ReplicaStart(string Folder, Uri Address);
