namespace Phi.LocalCluster.Nodes;

/// <summary>A volume of a pod as a path of this machine.</summary>
/// <param name="IsOwn">It belongs to the pod, so mount points may be made in it; a host path does not.</param>
/// <param name="IsReadOnly">Whatever its mounts say: configuration and tokens.</param>
internal sealed record PodVolume(string Path, bool IsOwn, bool IsReadOnly);
