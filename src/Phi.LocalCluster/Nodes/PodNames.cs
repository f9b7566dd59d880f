using System.Text.RegularExpressions;
using k8s.Models;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>
/// What a cluster's DNS answers for the pods of a headless service, HOSTNAME.SERVICE.NAMESPACE.svc: processes of this machine have no such
/// DNS, so a variable that is such a name becomes the pod's address.
/// </summary>
internal sealed partial class PodNames(KubernetesConnection connection)
{
    private static readonly TimeSpan PollPeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The address of the pod that the text names; any other text as it is.</summary>
    /// <exception cref="PodException">The pod is there, and got no address in time.</exception>
    public async Task<string> ResolveAsync(V1Pod pod, string podIp, string text, CancellationToken ct)
    {
        if (Name().Match(text) is not { Success: true } name)
        {
            return text;
        }

        using var deadline = new CancellationTokenSource(Patience);
        while (await connection.Pods().GetAsync(name.Groups["namespace"].Value, name.Groups["host"].Value, ct) is { } target
            && target.Spec.Hostname == name.Groups["host"].Value && target.Spec.Subdomain == name.Groups["service"].Value)
        {
            if (target.Metadata.Uid == pod.Metadata.Uid)
            {
                return podIp;
            }

            if (target.Status?.PodIP is { Length: > 0 } address)
            {
                return address;
            }

            if (deadline.IsCancellationRequested)
            {
                throw new PodException("NameNotResolved", $"pod {target.Metadata.Name} got no address within {Patience.TotalSeconds:0} s, and {text} names it");
            }

            await Task.Delay(PollPeriod, ct);
        }

        return text;
    }

    [GeneratedRegex(@"^(?<host>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\.(?<service>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\.(?<namespace>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)\.svc(\.cluster\.local)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
