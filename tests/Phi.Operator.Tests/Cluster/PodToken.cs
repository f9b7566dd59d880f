using System.Text.Json.Nodes;
using k8s.Models;
using Phi.Api.Agent;
using Phi.Kubernetes;

namespace Phi.Operator.Tests.Cluster;

/// <summary>What a node does for a pod whose volume projects a token.</summary>
internal static class PodToken
{
    /// <param name="pod">That the token is bound to.</param>
    /// <param name="audience">Null: the operator's.</param>
    public static Task<string> RequestAsync(KubernetesConnection connection, V1Pod pod, CancellationToken ct, string? audience = null) =>
        RequestAsync(connection, pod.Metadata.NamespaceProperty, new JsonObject { ["kind"] = "Pod", ["apiVersion"] = "v1", ["name"] = pod.Metadata.Name, ["uid"] = pod.Metadata.Uid }, ct, audience);

    /// <param name="bound">Null: to nothing.</param>
    public static async Task<string> RequestAsync(KubernetesConnection connection, string @namespace, JsonObject? bound, CancellationToken ct, string? audience = null)
    {
        var answer = await connection.SendAsync(
            HttpMethod.Post,
            $"api/v1/namespaces/{@namespace}/serviceaccounts/default/token",
            new JsonObject
            {
                ["apiVersion"] = "authentication.k8s.io/v1",
                ["kind"] = "TokenRequest",
                ["spec"] = new JsonObject { ["audiences"] = new JsonArray(audience ?? AgentCredentials.Audience), ["expirationSeconds"] = AgentCredentials.LifeSeconds, ["boundObjectRef"] = bound },
            },
            "application/json",
            ct);
        return (string)answer["status"]!["token"]!;
    }
}
