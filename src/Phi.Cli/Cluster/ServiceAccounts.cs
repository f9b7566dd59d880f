using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;

namespace Phi.Cli.Cluster;

/// <summary>
/// The service accounts as which operator and dashboard of a local cluster run, with exactly the rights that the chart gives them on any other
/// cluster (charts/phi-orchestrator/files/rbac): what they may not do there fails here first.
/// </summary>
internal sealed class ServiceAccounts(KubernetesConnection connection, ApiServerHost server)
{
    private const string Manager = "phi-up";
    private const string Group = "rbac.authorization.k8s.io";

    /// <summary>Where operator and dashboard keep what is their own unless told otherwise.</summary>
    private const string Namespace = "kube-system";

    /// <summary>Longer than any control plane runs; each start issues new ones.</summary>
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromDays(3650);

    /// <summary>Makes the account of a part and its roles what they should be, and writes a kubeconfig with a token of it.</summary>
    /// <param name="part">operator or dashboard.</param>
    public async Task PrepareAsync(string part, string kubeconfig, CancellationToken ct)
    {
        var (name, rules) = ($"phi-{part}", PartRules.Of(part));
        await ApplyAsync($"/api/v1/namespaces/{Namespace}/serviceaccounts", "v1", "ServiceAccount", name, [], ct);
        await GrantAsync($"/apis/{Group}/v1/cluster", "Cluster", name, [.. Section(rules, "cluster"), .. Section(rules, "namespaced")], ct);
        await GrantAsync($"/apis/{Group}/v1/namespaces/{Namespace}/", "", name, Section(rules, "own"), ct);
        var request = new JsonObject { ["apiVersion"] = "authentication.k8s.io/v1", ["kind"] = "TokenRequest", ["spec"] = new JsonObject { ["expirationSeconds"] = (long)TokenLifetime.TotalSeconds } };
        var issued = await connection.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{Namespace}/serviceaccounts/{name}/token", request, "application/json", ct);
        server.WriteKubeconfig(kubeconfig, name, (string)issued["status"]!["token"]!);
    }

    private async Task GrantAsync(string prefix, string kind, string name, JsonNode[] rules, CancellationToken ct)
    {
        await ApplyAsync($"{prefix}roles", $"{Group}/v1", $"{kind}Role", name, new JsonObject { ["rules"] = new JsonArray([.. rules.Select(rule => rule.DeepClone())]) }, ct);
        var binding = new JsonObject
        {
            ["roleRef"] = new JsonObject { ["apiGroup"] = Group, ["kind"] = $"{kind}Role", ["name"] = name },
            ["subjects"] = new JsonArray(new JsonObject { ["kind"] = "ServiceAccount", ["namespace"] = Namespace, ["name"] = name }),
        };
        await ApplyAsync($"{prefix}rolebindings", $"{Group}/v1", $"{kind}RoleBinding", name, binding, ct);
    }

    private async Task ApplyAsync(string collection, string apiVersion, string kind, string name, JsonObject value, CancellationToken ct)
    {
        value["apiVersion"] = apiVersion;
        value["kind"] = kind;
        value["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { [PhiNames.ManagedByLabel] = Manager } };
        await connection.SendAsync(HttpMethod.Patch, $"{collection}/{name}?fieldManager={Manager}&force=true", value, "application/apply-patch+yaml", ct);
    }

    private static JsonNode[] Section(JsonObject rules, string name) => [.. rules[name]!.AsArray().OfType<JsonNode>()];
}
