using System.Text;
using k8s.Models;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>Makes a pod's volumes in its folder, as a kubelet does in its own.</summary>
internal sealed class PodVolumes(KubernetesConnection connection, NodeAgentOptions options)
{
    private const int DefaultMode = 0b110_100_100;
    private const UnixFileMode EverybodysFolder = (UnixFileMode)0b111_111_111;
    private readonly PodFields _fields = new(options);
    private readonly ServiceAccountTokens _tokens = new(connection);

    /// <summary>Makes what is not there yet and writes configuration anew; the volumes by name.</summary>
    /// <param name="pod">Only volumes that a container mounts are made.</param>
    /// <exception cref="PodException">UnsupportedVolume: a kind that this node has not. FailedMount: what it refers to is missing.</exception>
    public async Task<IReadOnlyDictionary<string, PodVolume>> MakeAsync(V1Pod pod, string podIp, PodFolder folder, CancellationToken ct)
    {
        var mounted = pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).SelectMany(container => container.VolumeMounts ?? []).Select(mount => mount.Name).ToHashSet(StringComparer.Ordinal);
        var made = new Dictionary<string, PodVolume>(StringComparer.Ordinal);
        foreach (var volume in (pod.Spec.Volumes ?? []).Where(volume => mounted.Contains(volume.Name)))
        {
            made[volume.Name] = volume switch
            {
                { HostPath: { } host } => new PodVolume(HostPaths.Check(volume.Name, host), IsOwn: false, IsReadOnly: false),
                { EmptyDir: { } empty } => EmptyFolder(volume.Name, empty, folder),
                { ConfigMap: not null } or { Secret: not null } or { DownwardAPI: not null } or { Projected: not null } => await ConfigurationAsync(pod, podIp, volume, folder.Volume(volume.Name), ct),
                _ => throw new PodException("UnsupportedVolume", $"volume {volume.Name}: a node of local processes has configMap, secret, downwardAPI, projected, emptyDir and hostPath volumes; use one of these, or a path of this machine without a volume"),
            };
        }

        return made;
    }

    private static PodVolume EmptyFolder(string name, V1EmptyDirVolumeSource empty, PodFolder folder)
    {
        if (empty.Medium is not (null or "" or "Memory"))
        {
            throw new PodException("UnsupportedVolume", $"volume {name}: emptyDir medium '{empty.Medium}': this node has the default medium and Memory; use one of these");
        }

        var isMemory = empty.Medium == "Memory";
        if (isMemory && (!Directory.Exists("/dev/shm") || new DriveInfo("/dev/shm").DriveFormat != "tmpfs"))
        {
            throw new PodException("UnsupportedVolume", $"volume {name}: emptyDir in memory needs a tmpfs at /dev/shm, and this machine has none; leave medium out");
        }

        var path = isMemory ? folder.MemoryVolume(name) : folder.Volume(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, EverybodysFolder);
        return new PodVolume(path, IsOwn: true, IsReadOnly: false);
    }

    private async Task<PodVolume> ConfigurationAsync(V1Pod pod, string podIp, V1Volume volume, string path, CancellationToken ct)
    {
        var files = volume switch
        {
            { ConfigMap: { } map } => await FromConfigMapAsync(pod, map.Name, map.Optional, map.Items, map.DefaultMode, ct),
            { Secret: { } secret } => await FromSecretAsync(pod, secret.SecretName, secret.Optional, secret.Items, secret.DefaultMode, ct),
            { DownwardAPI: { } downward } => FromFields(pod, podIp, downward.Items, downward.DefaultMode),
            _ => await FromProjectionsAsync(pod, podIp, volume, ct),
        };
        Directory.CreateDirectory(path);
        foreach (var file in files)
        {
            file.Write(path);
        }

        return new PodVolume(path, IsOwn: true, IsReadOnly: true);
    }

    private async Task<IEnumerable<VolumeFile>> FromProjectionsAsync(V1Pod pod, string podIp, V1Volume volume, CancellationToken ct)
    {
        var mode = volume.Projected.DefaultMode;
        var files = new List<VolumeFile>();
        foreach (var source in volume.Projected.Sources ?? [])
        {
            files.AddRange(source switch
            {
                { ConfigMap: { } map } => await FromConfigMapAsync(pod, map.Name, map.Optional, map.Items, mode, ct),
                { Secret: { } secret } => await FromSecretAsync(pod, secret.Name, secret.Optional, secret.Items, mode, ct),
                { DownwardAPI: { } downward } => FromFields(pod, podIp, downward.Items, mode),
                { ServiceAccountToken: { } token } => [new VolumeFile(token.Path, Encoding.UTF8.GetBytes(await _tokens.RequestAsync(pod, token, ct)), mode ?? DefaultMode)],
                _ => throw new PodException("UnsupportedVolume", $"volume {volume.Name}: this node projects configMap, secret, downwardAPI and serviceAccountToken alone; remove the other source"),
            });
        }

        return files;
    }

    private async Task<IEnumerable<VolumeFile>> FromConfigMapAsync(V1Pod pod, string name, bool? optional, IList<V1KeyToPath>? items, int? mode, CancellationToken ct)
    {
        var map = await connection.ConfigMaps().GetAsync(pod.Metadata.NamespaceProperty, name, ct);
        var data = map is null ? null : (map.Data ?? new Dictionary<string, string>()).Select(pair => KeyValuePair.Create(pair.Key, Encoding.UTF8.GetBytes(pair.Value))).Concat(map.BinaryData ?? new Dictionary<string, byte[]>());
        return Files("configmap", name, data, optional == true, items, mode ?? DefaultMode);
    }

    private async Task<IEnumerable<VolumeFile>> FromSecretAsync(V1Pod pod, string name, bool? optional, IList<V1KeyToPath>? items, int? mode, CancellationToken ct)
    {
        var secret = await connection.Secrets().GetAsync(pod.Metadata.NamespaceProperty, name, ct);
        return Files("secret", name, secret is null ? null : secret.Data ?? new Dictionary<string, byte[]>(), optional == true, items, mode ?? DefaultMode);
    }

    private List<VolumeFile> FromFields(V1Pod pod, string podIp, IList<V1DownwardAPIVolumeFile>? items, int? mode) =>
    [
        .. (items ?? []).Select(item => new VolumeFile(
            item.Path,
            Encoding.UTF8.GetBytes(item.ResourceFieldRef is { } resource ? _fields.Resource(pod, null, resource) : _fields.Field(pod, item.FieldRef.FieldPath, podIp)),
            item.Mode ?? mode ?? DefaultMode)),
    ];

    private static IEnumerable<VolumeFile> Files(string kind, string name, IEnumerable<KeyValuePair<string, byte[]>>? data, bool isOptional, IList<V1KeyToPath>? items, int mode)
    {
        if (data is null)
        {
            return isOptional ? [] : throw new PodException("FailedMount", $"{kind} \"{name}\" not found", isTransient: true);
        }

        var values = data.ToDictionary(StringComparer.Ordinal);
        if (items is not { Count: > 0 })
        {
            return values.Select(pair => new VolumeFile(pair.Key, pair.Value, mode));
        }

        var missing = items.FirstOrDefault(item => !values.ContainsKey(item.Key));
        return missing is not null && !isOptional
            ? throw new PodException("FailedMount", $"{kind} \"{name}\" references non-existent config key: {missing.Key}", isTransient: true)
            : items.Where(item => values.ContainsKey(item.Key)).Select(item => new VolumeFile(item.Path, values[item.Key], item.Mode ?? mode));
    }
}
