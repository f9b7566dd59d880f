using Phi.Reconcile.Snapshots;

namespace Phi.Reconcile.Policies;

/// <summary>
/// A pod of a container job that is gone. Its peers then fail as well, with exit codes that do not tell a lost peer from a fault of
/// their own; so what is gone is looked for before what failed.
/// </summary>
public static class ContainerDisruption
{
    public static AttemptFailure? Find(JobSnapshot snapshot)
    {
        var missing = Enumerable.Range(0, snapshot.Replicas).Where(index => snapshot.Pods.All(pod => pod.Index != index)).ToList();
        return snapshot.HasAgents || missing.Count == 0 ? null : new AttemptFailure(false, false, "PodDisrupted", $"the pod of replica {string.Join(", ", missing)} is gone");
    }
}
