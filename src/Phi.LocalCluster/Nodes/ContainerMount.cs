using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>One mount of a container.</summary>
/// <param name="Source">A file or folder of this machine.</param>
/// <param name="Target">Where the container sees it.</param>
/// <param name="IsOwn">Mount points may be made in it: it belongs to the pod.</param>
internal sealed record ContainerMount(string Source, string Target, bool IsReadOnly, bool IsOwn)
{
    /// <summary>What must be mounted for a container, outer mounts before those within them; none if all is in place already.</summary>
    /// <param name="wanted">Those of the container's mounts that must be made.</param>
    /// <exception cref="PodException">A mount that this node cannot make.</exception>
    public static IReadOnlyList<ContainerMount> Of(V1Pod pod, V1Container container, IReadOnlyList<V1VolumeMount> wanted, IReadOnlyDictionary<string, PodVolume> volumes, Dictionary<string, string> variables, PodFolder folder)
    {
        if (container.VolumeDevices is { Count: > 0 })
        {
            throw new PodException("UnsupportedVolume", $"container {container.Name}: this node has no block devices; remove volumeDevices");
        }

        var mounts = wanted.Where(mount => !IsInPlace(pod, mount)).Select(mount => One(container, mount, volumes, variables)).OrderBy(mount => mount.Target, StringComparer.Ordinal).ToList();
        if (mounts.Find(mount => (folder.Path + "/").StartsWith(mount.Target.TrimEnd('/') + "/", StringComparison.Ordinal)) is { } hiding)
        {
            throw new PodException("UnsupportedVolume", $"container {container.Name}: a mount at {hiding.Target} would hide the pod's own folder {folder.Path}; choose another mountPath");
        }

        return mounts;
    }

    /// <summary>Processes share the machine's file system: memory-backed /dev/shm is there, and a host path that is mounted at itself.</summary>
    private static bool IsInPlace(V1Pod pod, V1VolumeMount mount)
    {
        var volume = (pod.Spec.Volumes ?? []).FirstOrDefault(candidate => candidate.Name == mount.Name);
        return string.IsNullOrEmpty(mount.SubPath) && string.IsNullOrEmpty(mount.SubPathExpr)
            && ((mount.MountPath == "/dev/shm" && volume?.EmptyDir is not null)
                || (volume?.HostPath?.Path == mount.MountPath && mount.ReadOnlyProperty != true));
    }

    private static ContainerMount One(V1Container container, V1VolumeMount mount, IReadOnlyDictionary<string, PodVolume> volumes, Dictionary<string, string> variables)
    {
        var volume = volumes.GetValueOrDefault(mount.Name) ?? throw new PodException("UnsupportedVolume", $"container {container.Name}: volume {mount.Name} is not among the pod's volumes; add it, or remove the mount");
        if (mount.MountPropagation is not (null or "" or "None"))
        {
            throw new PodException("UnsupportedVolume", $"container {container.Name}: mountPropagation '{mount.MountPropagation}' of {mount.MountPath}: this node mounts privately; leave it out");
        }

        if (!mount.MountPath.StartsWith('/'))
        {
            throw new PodException("UnsupportedVolume", $"container {container.Name}: mountPath '{mount.MountPath}' must be absolute on a node of local processes");
        }

        if (mount.MountPath.Any(char.IsControl))
        {
            throw new PodException("UnsupportedVolume", $"container {container.Name}: mountPath '{mount.MountPath.ReplaceLineEndings("\\n")}' has a line break or another control character, which a node of local processes cannot mount at; leave it out");
        }

        var within = string.IsNullOrEmpty(mount.SubPathExpr) ? mount.SubPath : PodEnvironment.Expand(mount.SubPathExpr, variables);
        if (string.IsNullOrEmpty(within))
        {
            return new ContainerMount(volume.Path, Path.GetFullPath(mount.MountPath), mount.ReadOnlyProperty == true || volume.IsReadOnly, volume.IsOwn);
        }

        if (Path.IsPathRooted(within) || within.Split('/').Contains(".."))
        {
            throw new PodException("CreateContainerConfigError", $"container {container.Name}: subPath '{within}' must be relative and without '..'");
        }

        var source = Path.Combine(volume.Path, within);
        if (!Path.Exists(source))
        {
            // As a kubelet does it; a volume of configuration has what it has.
            _ = volume.IsReadOnly ? throw new PodException("CreateContainerConfigError", $"container {container.Name}: subPath '{within}' is not in volume {mount.Name}") : Directory.CreateDirectory(source);
        }

        return new ContainerMount(source, Path.GetFullPath(mount.MountPath), mount.ReadOnlyProperty == true || volume.IsReadOnly, volume.IsOwn);
    }
}
