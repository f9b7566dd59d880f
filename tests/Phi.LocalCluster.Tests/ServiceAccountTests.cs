using System.Text.Json.Nodes;

namespace Phi.LocalCluster.Tests;

/// <summary>Which account a pod runs as, and what it finds of it in its containers.</summary>
public sealed class ServiceAccountTests(NodeFixture node) : IClassFixture<NodeFixture>
{
    private const string Core = "/api/v1/namespaces";
    private const string MountPath = "/var/run/secrets/kubernetes.io/serviceaccount";

    [Fact]
    public async Task Pod_WithoutAnAccount_RunsAsTheDefaultOneAndMountsItsToken()
    {
        await node.Server.SendAsync(HttpMethod.Post, Core, """{"metadata": {"name": "new-team"}}""");

        var (code, pod) = await PodAsync("new-team", "plain", """
            "initContainers": [{"name": "i", "image": "i"}],
            "containers": [{"name": "c", "image": "i"}, {"name": "own", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]}],
            "volumes": [{"name": "v", "emptyDir": {}}]
            """);

        Assert.Equal(201, code);
        var spec = pod["spec"]!;
        Assert.Equal(("default", "default"), ((string?)spec["serviceAccountName"], (string?)spec["serviceAccount"]));
        var added = Assert.Single(spec["volumes"]!.AsArray(), volume => volume!["projected"] is not null)!;
        Assert.Matches("^kube-api-access-[a-z0-9]{5}$", (string?)added["name"]);
        Assert.Equal((420, 3607L), ((int)added["projected"]!["defaultMode"]!, (long)added["projected"]!["sources"]![0]!["serviceAccountToken"]!["expirationSeconds"]!));
        foreach (var container in new[] { spec["initContainers"]![0]!, spec["containers"]![0]! })
        {
            var mount = Assert.Single(container["volumeMounts"]!.AsArray())!;
            Assert.Equal(((string?)added["name"], MountPath, true), ((string?)mount["name"], (string?)mount["mountPath"], (bool?)mount["readOnly"]));
        }

        Assert.Equal("v", (string?)Assert.Single(spec["containers"]![1]!["volumeMounts"]!.AsArray())!["name"]);
    }

    [Theory]
    [InlineData("false", "", false)]
    [InlineData("false", "\"automountServiceAccountToken\": true,", true)]
    [InlineData("true", "\"automountServiceAccountToken\": false,", false)]
    public async Task Pod_TokenThatPodOrElseAccountDoesNotWant_IsNotMounted(string account, string ofPod, bool isMounted)
    {
        var name = await NameAsync($$"""{"automountServiceAccountToken": {{account}}, "imagePullSecrets": [{"name": "registry"}] }""");

        var (_, pod) = await PodAsync("default", name, $"\"serviceAccountName\": \"{name}\", {ofPod} \"containers\": [{{\"name\": \"c\", \"image\": \"i\"}}]");

        Assert.Equal(isMounted, pod["spec"]!["volumes"] is JsonArray { Count: 1 });
        Assert.Equal(isMounted, pod["spec"]!["containers"]![0]!["volumeMounts"] is JsonArray { Count: 1 });
        Assert.Equal("registry", (string?)pod["spec"]!["imagePullSecrets"]![0]!["name"]);
    }

    [Fact]
    public async Task Pod_OfAnAccountThatIsNotThere_IsForbidden()
    {
        var (code, status) = await PodAsync("default", "refused", "\"serviceAccountName\": \"nobody\", \"containers\": [{\"name\": \"c\", \"image\": \"i\"}]");

        Assert.Equal((403, "pods \"refused\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found"), (code, (string?)status["message"]));
        Assert.Equal(404, (await node.Server.SendAsync(HttpMethod.Get, $"{Core}/default/pods/refused")).Code);
    }

    /// <summary>A client in a pod needs nothing but what is mounted: here kubectl, as the pod's account.</summary>
    [Fact]
    public async Task Client_InAPod_SpeaksToTheServerAsItsAccount()
    {
        await node.ApplyAsync("""
            apiVersion: v1
            kind: ServiceAccount
            metadata: { name: reader }
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: { name: reader }
            roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
            subjects: [{ kind: ServiceAccount, name: reader }]
            ---
            apiVersion: v1
            kind: Pod
            metadata: { name: inside }
            spec:
              restartPolicy: Never
              serviceAccountName: reader
              containers:
              - { name: main, image: none, command: [bash, -c, "'$(KUBECTL)' get pod inside -o name; '$(KUBECTL)' delete pod inside; cat $(MOUNTED)/namespace"], env: [{ name: KUBECTL, value: KUBECTL-PATH }, { name: MOUNTED, value: MOUNT-PATH }] }
            """.Replace("KUBECTL-PATH", Environment.GetEnvironmentVariable("KUBECTL") ?? "kubectl", StringComparison.Ordinal).Replace("MOUNT-PATH", MountPath, StringComparison.Ordinal));

        await node.WaitAsync("inside", "jsonpath={.status.phase}=Succeeded");

        Assert.Equal("pod/inside\nError from server (Forbidden): pods \"inside\" is forbidden: User \"system:serviceaccount:default:reader\" cannot delete resource \"pods\" in API group \"\" in the namespace \"default\"\ndefault\n", await node.LogAsync("inside"));
        Assert.False(Path.Exists(MountPath), "the machine itself sees nothing of it");
    }

    [Theory]
    [InlineData("serviceaccounts", "default")]
    [InlineData("configmaps", "kube-root-ca.crt")]
    public async Task WhatEveryNamespaceHas_Deleted_IsThereAgain(string resource, string name)
    {
        var path = $"{Core}/kube-public/{resource}/{name}";
        await NodeFixture.UntilAsync(async () => (await node.Server.SendAsync(HttpMethod.Get, path)).Code == 200);
        var (_, before) = await node.Server.SendAsync(HttpMethod.Get, path);

        await node.Server.SendAsync(HttpMethod.Delete, path);

        await NodeFixture.UntilAsync(async () => await node.Server.SendAsync(HttpMethod.Get, path) is (200, var now) && (string?)now["metadata"]!["uid"] != (string?)before["metadata"]!["uid"]);
        Assert.True(JsonNode.DeepEquals(before["data"], (await node.Server.SendAsync(HttpMethod.Get, path)).Body["data"]));
    }

    /// <summary>A new account.</summary>
    private async Task<string> NameAsync(string account)
    {
        var body = JsonNode.Parse(account)!;
        body["metadata"] = new JsonObject { ["generateName"] = "account-" };
        return (string)(await node.Server.SendAsync(HttpMethod.Post, $"{Core}/default/serviceaccounts", body.ToJsonString())).Body["metadata"]!["name"]!;
    }

    private Task<(int Code, JsonObject Body)> PodAsync(string @namespace, string name, string fields) =>
        node.Server.SendAsync(HttpMethod.Post, $"{Core}/{@namespace}/pods", $$"""{"metadata": {"name": "{{name}}"}, "spec": { {{fields}} } }""");
}
