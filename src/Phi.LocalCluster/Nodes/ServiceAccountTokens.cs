using System.Text.Json.Nodes;
using k8s.Models;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>Tokens of a pod's service account, from the TokenRequest subresource and bound to the pod.</summary>
internal sealed class ServiceAccountTokens(KubernetesConnection connection)
{
    private const long DefaultSeconds = 3600;

    /// <summary>A kubelet asks again when four fifths of a token's life are over, and at least once a day.</summary>
    public static TimeSpan? RefreshPeriod(V1Pod pod) =>
        (pod.Spec.Volumes ?? []).SelectMany(volume => volume.Projected?.Sources ?? []).Select(source => source.ServiceAccountToken).OfType<V1ServiceAccountTokenProjection>()
            .Select(token => (TimeSpan?)TimeSpan.FromSeconds(Math.Min(0.8 * (token.ExpirationSeconds ?? DefaultSeconds), TimeSpan.FromDays(1).TotalSeconds))).Min();

    /// <exception cref="PodException">The account is missing, or the API server gives no tokens.</exception>
    public async Task<string> RequestAsync(V1Pod pod, V1ServiceAccountTokenProjection token, CancellationToken ct)
    {
        var account = pod.Spec.ServiceAccountName ?? "default";
        var body = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject
            {
                ["audiences"] = string.IsNullOrEmpty(token.Audience) ? new JsonArray() : new JsonArray(token.Audience),
                ["expirationSeconds"] = token.ExpirationSeconds ?? DefaultSeconds,
                ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod.Metadata.Name, ["uid"] = pod.Metadata.Uid },
            },
        };
        try
        {
            var answer = await connection.SendAsync(HttpMethod.Post, $"api/v1/namespaces/{pod.Metadata.NamespaceProperty}/serviceaccounts/{account}/token", body, "application/json", ct);
            return (string?)answer["status"]?["token"] ?? throw new PodException("FailedMount", $"the API server answered the token request of service account {account} without a token", isTransient: true);
        }
        catch (KubernetesApiException e)
        {
            throw new PodException("FailedMount", $"no token of service account {account}: {e.Message}", isTransient: true);
        }
    }
}
