using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using k8s.Models;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>A container's variables and command, resolved as a kubelet does.</summary>
internal sealed partial class PodEnvironment(KubernetesConnection connection, NodeAgentOptions options)
{
    private readonly PodNames _names = new(connection);
    private readonly PodFields _fields = new(options);

    /// <exception cref="PodException">A reference points to nothing.</exception>
    public async Task<Dictionary<string, string>> ResolveAsync(V1Pod pod, V1Container container, string podIp, string folder, CancellationToken ct)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
            ["HOME"] = folder,
            ["HOSTNAME"] = pod.Metadata.Name,
            ["TMPDIR"] = Path.GetTempPath(),
        };
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } dotnet)
        {
            variables["DOTNET_ROOT"] = dotnet;
        }

        // A client in the pod finds the API server by these, and its service account's token where that is mounted.
        variables["KUBERNETES_SERVICE_HOST"] = connection.Server.Host;
        variables["KUBERNETES_SERVICE_PORT"] = connection.Server.Port.ToString(CultureInfo.InvariantCulture);

        foreach (var (name, value) in options.Environment)
        {
            variables[name] = value;
        }

        foreach (var source in container.EnvFrom ?? [])
        {
            await AddAllAsync(pod, source, variables, ct);
        }

        foreach (var variable in container.Env ?? [])
        {
            if (variable.ValueFrom is null)
            {
                variables[variable.Name] = await _names.ResolveAsync(pod, podIp, Expand(variable.Value ?? "", variables), ct);
            }
            else if (await ValueAsync(pod, container, variable, podIp, ct) is { } value)
            {
                variables[variable.Name] = value;
            }
        }

        return variables;
    }

    /// <summary>Tells a container by variables where some of its volumes lie.</summary>
    /// <returns>Names of the volumes that need no mount for that.</returns>
    public IReadOnlySet<string> Tell(V1Container container, IReadOnlyDictionary<string, PodVolume> volumes, Dictionary<string, string> variables)
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (var mount in (container.VolumeMounts ?? []).Where(mount => string.IsNullOrEmpty(mount.SubPath) && string.IsNullOrEmpty(mount.SubPathExpr)))
        {
            foreach (var variable in options.VolumeVariables.Where(variable => variable.Volume == mount.Name))
            {
                if (volumes.TryGetValue(mount.Name, out var volume))
                {
                    variables[variable.Name] = variable.File is { } file ? Path.Combine(volume.Path, file) : volume.Path;
                    told.Add(mount.Name);
                }
            }
        }

        return told;
    }

    /// <summary>The command line; its program found in the tool path, then in PATH.</summary>
    public IReadOnlyList<string> Command(V1Container container, Dictionary<string, string> variables)
    {
        if (container.Command is not { Count: > 0 })
        {
            throw new PodException("CreateContainerError", $"container {container.Name} has no command, and a node of local processes has no image to take one from; set command");
        }

        var program = Expand(container.Command[0], variables);
        if (!program.Contains('/', StringComparison.Ordinal))
        {
            var folders = options.ToolPath.Concat(variables["PATH"].Split(':'));
            program = folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
                ?? throw new PodException("CreateContainerError", $"container {container.Name}: program '{program}' is neither in the node's tools nor in PATH");
        }

        return [program, .. container.Command.Skip(1).Concat(container.Args ?? []).Select(part => Expand(part, variables))];
    }

    private async Task AddAllAsync(V1Pod pod, V1EnvFromSource source, Dictionary<string, string> variables, CancellationToken ct)
    {
        var data = source.SecretRef is { } secret ? await SecretAsync(pod, secret.Name, secret.Optional, ct)
            : source.ConfigMapRef is { } map ? await ConfigMapAsync(pod, map.Name, map.Optional, ct)
            : null;
        foreach (var (name, value) in data ?? new Dictionary<string, string>())
        {
            variables[source.Prefix + name] = value;
        }
    }

    private async Task<string?> ValueAsync(V1Pod pod, V1Container container, V1EnvVar variable, string podIp, CancellationToken ct)
    {
        var from = variable.ValueFrom;
        if (from.FieldRef is { } field)
        {
            return _fields.Field(pod, field.FieldPath, podIp);
        }

        if (from.ResourceFieldRef is { } resource)
        {
            return _fields.Resource(pod, container, resource);
        }

        var (kind, name, key, optional, data) = from switch
        {
            { SecretKeyRef: { } secret } => ("secret", secret.Name, secret.Key, secret.Optional, await SecretAsync(pod, secret.Name, secret.Optional, ct)),
            { ConfigMapKeyRef: { } map } => ("configmap", map.Name, map.Key, map.Optional, await ConfigMapAsync(pod, map.Name, map.Optional, ct)),
            _ => throw new PodException("CreateContainerConfigError", $"variable {variable.Name}: this node resolves fieldRef, resourceFieldRef, secretKeyRef and configMapKeyRef alone"),
        };
        return data?.GetValueOrDefault(key) ?? (optional == true ? null : throw new PodException("CreateContainerConfigError", $"couldn't find key {key} in {kind} {pod.Metadata.NamespaceProperty}/{name}", isTransient: true));
    }

    private async Task<Dictionary<string, string>?> SecretAsync(V1Pod pod, string name, bool? optional, CancellationToken ct)
    {
        var secret = await connection.Secrets().GetAsync(pod.Metadata.NamespaceProperty, name, ct);
        return secret is null && optional != true
            ? throw new PodException("CreateContainerConfigError", $"secret \"{name}\" not found", isTransient: true)
            : secret?.Data?.ToDictionary(pair => pair.Key, pair => Encoding.UTF8.GetString(pair.Value));
    }

    private async Task<Dictionary<string, string>?> ConfigMapAsync(V1Pod pod, string name, bool? optional, CancellationToken ct)
    {
        var map = await connection.ConfigMaps().GetAsync(pod.Metadata.NamespaceProperty, name, ct);
        return map is null && optional != true ? throw new PodException("CreateContainerConfigError", $"configmap \"{name}\" not found", isTransient: true) : map?.Data?.ToDictionary();
    }

    /// <summary>$(NAME) becomes the variable's value, $$ a dollar; an unknown name stays as it is.</summary>
    public static string Expand(string text, Dictionary<string, string> variables) => Reference().Replace(text, match =>
        match.Value == "$$" ? "$" : variables.TryGetValue(match.Groups["name"].Value, out var value) ? value : match.Value);

    [GeneratedRegex(@"\$\$|\$\((?<name>[-._a-zA-Z][-._a-zA-Z0-9]*)\)", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();
}
