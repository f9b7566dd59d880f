using System.Globalization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>A pod's fields and resources as the downward API gives them, in variables and in files.</summary>
internal sealed partial class PodFields(NodeAgentOptions options)
{
    /// <exception cref="PodException">The downward API has no such field.</exception>
    public string Field(V1Pod pod, string path, string podIp) => path switch
    {
        "metadata.name" => pod.Metadata.Name,
        "metadata.namespace" => pod.Metadata.NamespaceProperty,
        "metadata.uid" => pod.Metadata.Uid,
        "metadata.labels" => Lines(pod.Metadata.Labels),
        "metadata.annotations" => Lines(pod.Metadata.Annotations),
        "spec.nodeName" => options.Name,
        "spec.serviceAccountName" => pod.Spec.ServiceAccountName ?? "default",
        "status.podIP" or "status.podIPs" => podIp,
        "status.hostIP" or "status.hostIPs" => "127.0.0.1",
        _ when Subscript().Match(path) is { Success: true } match =>
            (match.Groups["map"].Value == "labels" ? pod.Metadata.Labels : pod.Metadata.Annotations) is { } map && map.TryGetValue(match.Groups["key"].Value, out var value) ? value : "",
        _ => throw new PodException("CreateContainerConfigError", $"unsupported fieldPath: {path}"),
    };

    /// <summary>A container's request or limit in units of the divisor, rounded up; a limit that it has not is the node's whole.</summary>
    /// <exception cref="PodException">No such container or resource.</exception>
    public string Resource(V1Pod pod, V1Container? container, V1ResourceFieldSelector selector)
    {
        var named = string.IsNullOrEmpty(selector.ContainerName) ? container : pod.Spec.Containers.Concat(pod.Spec.InitContainers ?? []).FirstOrDefault(candidate => candidate.Name == selector.ContainerName);
        if (named is null || selector.Resource.Split('.', 2) is not [("limits" or "requests") and var kind, var name])
        {
            throw new PodException("CreateContainerConfigError", $"unsupported resourceFieldRef: container '{selector.ContainerName}', resource '{selector.Resource}'; write limits.NAME or requests.NAME of a container of the pod");
        }

        var amounts = kind == "limits" ? named.Resources?.Limits : named.Resources?.Requests;
        var amount = amounts is not null && amounts.TryGetValue(name, out var given) ? given.ToDecimal()
            : kind == "limits" && (string?)MachineFacts.Capacity(options.StateDirectory)[name] is { } whole ? new ResourceQuantity(whole).ToDecimal() : 0;
        var divisor = selector.Divisor?.ToDecimal() is { } unit and > 0 ? unit : 1;
        return decimal.Ceiling(amount / divisor).ToString("0", CultureInfo.InvariantCulture);
    }

    private static string Lines(IDictionary<string, string>? map) => string.Concat((map ?? new Dictionary<string, string>())
        .OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .Select(pair => $"{pair.Key}=\"{pair.Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"\n"));

    [GeneratedRegex(@"^metadata\.(?<map>labels|annotations)\['(?<key>[^']+)'\]$", RegexOptions.CultureInvariant)]
    private static partial Regex Subscript();
}
