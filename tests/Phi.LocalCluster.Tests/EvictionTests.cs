using System.Text.Json.Nodes;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>Evictions and the budgets that hold them back, and kubectl's node commands on top of them.</summary>
public sealed class EvictionTests(TestServer server) : IClassFixture<TestServer>
{
    private const string MergePatch = "application/merge-patch+json";

    [Theory]
    [InlineData("""{"minAvailable": 1}""", 1, 1, 2)]
    [InlineData("""{"minAvailable": 3}""", 0, 3, 2)]
    [InlineData("""{}""", 2, 0, 2)]
    public async Task Budget_WithANumber_CountsItsPods(string spec, int allowed, int desired, int healthy)
    {
        var team = await NamespaceAsync();
        await PodAsync(team, "a");
        await PodAsync(team, "b");

        await BudgetAsync(team, spec);

        var budget = await UntilAsync($"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", found => (int?)found["status"]?["currentHealthy"] == healthy);
        var status = budget["status"]!;
        Assert.Equal((allowed, desired, 2, 1), ((int)status["disruptionsAllowed"]!, (int)status["desiredHealthy"]!, (int)status["expectedPods"]!, (int)status["observedGeneration"]!));
        Assert.Equal(allowed > 0 ? "SufficientPods" : "InsufficientPods", (string?)status["conditions"]![0]!["reason"]);
    }

    [Theory]
    [InlineData("""{"minAvailable": "50%"}""", 2, 1)]
    [InlineData("""{"minAvailable": "67%"}""", 3, 0)]
    [InlineData("""{"maxUnavailable": 1}""", 2, 1)]
    [InlineData("""{"maxUnavailable": "1%"}""", 2, 1)]
    [InlineData("""{"maxUnavailable": 0}""", 3, 0)]
    public async Task Budget_OfPodsWithAScale_TakesPercentagesOfIt(string spec, int desired, int allowed)
    {
        var team = await NamespaceAsync();
        await ScaledDefinitionAsync();
        var (_, set) = await server.SendAsync(HttpMethod.Post, $"/apis/example.com/v1/namespaces/{team}/sets", """{"metadata": {"name": "three"}, "spec": {"replicas": 3}}""");
        var owner = $$$"""[{"apiVersion": "example.com/v1", "kind": "Set", "name": "three", "controller": true, "uid": "{{{set["metadata"]!["uid"]}}}"}]""";
        foreach (var name in new[] { "a", "b", "c" })
        {
            await PodAsync(team, name, owner);
        }

        await BudgetAsync(team, spec);

        var budget = await UntilAsync($"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", found => (int?)found["status"]?["currentHealthy"] == 3);
        Assert.Equal((3, desired, allowed), ((int)budget["status"]!["expectedPods"]!, (int)budget["status"]!["desiredHealthy"]!, (int)budget["status"]!["disruptionsAllowed"]!));
    }

    [Theory]
    [InlineData("""{"minAvailable": 1, "maxUnavailable": 1}""", "cannot be both set")]
    [InlineData("""{"minAvailable": "120%"}""", "must not be greater than 100%")]
    [InlineData("""{"minAvailable": "half"}""", "a valid percent string")]
    [InlineData("""{"maxUnavailable": -1}""", "greater than or equal to 0")]
    [InlineData("""{"unhealthyPodEvictionPolicy": "Never"}""", "supported values")]
    public async Task Budget_ThatIsNotValid_IsRefused(string spec, string expected)
    {
        var (code, status) = await server.SendAsync(HttpMethod.Post, "/apis/policy/v1/namespaces/default/poddisruptionbudgets", $$$"""{"metadata": {"name": "bad"}, "spec": {{{spec}}} }""");

        Assert.Equal(422, code);
        Assert.Contains(expected, (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Eviction_AgainstTheBudget_IsTooManyRequests()
    {
        var team = await NamespaceAsync();
        await PodAsync(team, "only");
        await BudgetAsync(team, """{"minAvailable": 1}""");
        await UntilAsync($"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", found => (int?)found["status"]?["currentHealthy"] == 1);

        var (code, status) = await EvictAsync(team, "only");

        Assert.Equal((429, "TooManyRequests"), (code, (string?)status["reason"]));
        Assert.Equal("Cannot evict pod as it would violate the pod's disruption budget.", (string?)status["message"]);
        Assert.Equal(("DisruptionBudget", "The disruption budget guard needs 1 healthy pods and has 1 currently"), ((string?)status["details"]!["causes"]![0]!["reason"], (string?)status["details"]!["causes"]![0]!["message"]));
        var (_, pod) = await server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/{team}/pods/only");
        Assert.Null(pod["metadata"]!["deletionTimestamp"]);
        Assert.DoesNotContain(pod["status"]!["conditions"]!.AsArray(), condition => (string?)condition!["type"] == "DisruptionTarget");
    }

    [Fact]
    public async Task Eviction_WithinTheBudget_MarksThePodAndSpendsOne()
    {
        var team = await NamespaceAsync();
        await PodAsync(team, "a", node: "somewhere");
        await PodAsync(team, "b", node: "somewhere");
        await BudgetAsync(team, """{"minAvailable": 1}""");
        var path = $"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard";
        await UntilAsync(path, found => (int?)found["status"]?["currentHealthy"] == 2);

        var (dry, _) = await EvictAsync(team, "a", """{"dryRun": ["All"]}""");
        var (first, _) = await EvictAsync(team, "a", """{"gracePeriodSeconds": 7}""");
        var (second, _) = await EvictAsync(team, "b");

        Assert.Equal((201, 201, 429), (dry, first, second));
        var (_, pod) = await server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/{team}/pods/a");
        Assert.Equal(7, (int?)pod["metadata"]!["deletionGracePeriodSeconds"]);
        Assert.Equal("EvictionByEvictionAPI", (string?)pod["status"]!["conditions"]!.AsArray().Single(condition => (string?)condition!["type"] == "DisruptionTarget")!["reason"]);
        await UntilAsync(path, found => (int?)found["status"]?["currentHealthy"] == 1 && found["status"]!["disruptedPods"] is null);
    }

    [Theory]
    [InlineData("AlwaysAllow", 201)]
    [InlineData("IfHealthyBudget", 429)]
    public async Task Eviction_OfAnUnreadyPod_FollowsThePolicy(string policy, int expected)
    {
        var team = await NamespaceAsync();
        await PodAsync(team, "sick", ready: "False");
        await BudgetAsync(team, $$"""{"minAvailable": 1, "unhealthyPodEvictionPolicy": "{{policy}}"}""");
        await UntilAsync($"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", found => (int?)found["status"]?["expectedPods"] == 1);

        Assert.Equal(expected, (await EvictAsync(team, "sick")).Code);
    }

    [Fact]
    public async Task Kubectl_CordonTaintDrainUncordon_Work()
    {
        const string Node = "/api/v1/nodes/farm";
        var team = await NamespaceAsync();
        await server.SendAsync(HttpMethod.Post, "/api/v1/nodes", """{"metadata": {"name": "farm"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}""");
        await PodAsync(team, "held", node: "farm");
        await BudgetAsync(team, """{"minAvailable": 1}""");
        await UntilAsync($"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", found => (int?)found["status"]?["currentHealthy"] == 1);

        await KubectlAsync("taint node farm gpu=broken:NoSchedule gpu=broken:PreferNoSchedule");
        var (_, tainted) = await server.SendAsync(HttpMethod.Get, Node);
        await KubectlAsync("taint node farm gpu:PreferNoSchedule-");
        var (_, untainted) = await server.SendAsync(HttpMethod.Get, Node);
        await KubectlAsync("cordon farm");
        await UntilAsync(Node, found => HasTaint(found, "node.kubernetes.io/unschedulable"));
        var blocked = await server.KubectlAsync("", "drain", "farm", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=2s");
        await server.SendAsync(HttpMethod.Patch, $"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", """{"spec": {"minAvailable": 0}}""", MergePatch);
        await UntilAsync($"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets/guard", found => (int?)found["status"]?["disruptionsAllowed"] == 1);
        var drained = server.KubectlAsync("", "drain", "farm", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=60s");
        await UntilAsync($"/api/v1/namespaces/{team}/pods/held", found => found["metadata"]!["deletionTimestamp"] is not null);
        await server.SendAsync(HttpMethod.Delete, $"/api/v1/namespaces/{team}/pods/held?gracePeriodSeconds=0");

        Assert.Equal(["NoSchedule", "PreferNoSchedule"], tainted["spec"]!["taints"]!.AsArray().Where(taint => (string?)taint!["key"] == "gpu").Select(taint => (string?)taint!["effect"]).Order());
        Assert.Equal(["NoSchedule"], untainted["spec"]!["taints"]!.AsArray().Where(taint => (string?)taint!["key"] == "gpu").Select(taint => (string?)taint!["effect"]));
        Assert.NotEqual(0, blocked.Code);
        Assert.Contains("violate the pod's disruption budget", blocked.Error, StringComparison.Ordinal);
        Assert.Contains("node/farm drained", (await drained).Output, StringComparison.Ordinal);
        await KubectlAsync("uncordon farm");
        await UntilAsync(Node, found => !HasTaint(found, "node.kubernetes.io/unschedulable"));
        Assert.Null((await server.SendAsync(HttpMethod.Get, Node)).Body["spec"]!["unschedulable"]);
    }

    [Theory]
    [InlineData("explain pdb.spec.unhealthyPodEvictionPolicy", "unhealthyPodEvictionPolicy")]
    [InlineData("explain clusterrole.rules.nonResourceURLs", "nonResourceURLs")]
    [InlineData("describe clusterrole system:basic-user", "selfsubjectreviews")]
    [InlineData("get pc", "system-node-critical")]
    [InlineData("api-resources --api-group=authorization.k8s.io -o wide", "selfsubjectrulesreviews")]
    public async Task Kubectl_OfTheKindsOfAccessAndDisruption_KnowsThem(string command, string expected)
    {
        var done = await server.KubectlAsync("", command.Split(' '));

        Assert.Contains(expected, done.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_CreatePdb_ReadsItsProtobuf()
    {
        var team = await NamespaceAsync();
        await KubectlAsync($"create pdb zero --selector=app=x --max-unavailable=0 -n {team}");

        Assert.Contains("zero   N/A             0", (await server.KubectlAsync("", "get", "pdb", "-n", team)).Output, StringComparison.Ordinal);
    }

    private static bool HasTaint(JsonObject node, string key) => (node["spec"]?["taints"] as JsonArray ?? []).Any(taint => (string?)taint!["key"] == key);

    private async Task KubectlAsync(string command)
    {
        var done = await server.KubectlAsync("", command.Split(' '));
        Assert.True(done.Code == 0, $"{command}: {done.Error}");
    }

    private async Task<string> NamespaceAsync()
    {
        var (_, made) = await server.SendAsync(HttpMethod.Post, "/api/v1/namespaces", """{"metadata": {"generateName": "team-"}}""");
        return (string)made["metadata"]!["name"]!;
    }

    private async Task PodAsync(string team, string name, string owners = "[]", string node = "", string ready = "True")
    {
        var path = $"/api/v1/namespaces/{team}/pods";
        var (code, body) = await server.SendAsync(HttpMethod.Post, path, $$$"""{"metadata": {"name": "{{{name}}}", "labels": {"app": "x"}, "ownerReferences": {{{owners}}} }, "spec": {"nodeName": "{{{node}}}", "containers": [{"name": "c", "image": "i"}]}}""");
        Assert.True(code == 201, body.ToJsonString());
        await server.SendAsync(HttpMethod.Patch, $"{path}/{name}/status", $$$"""{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "{{{ready}}}"}]}}""", MergePatch);
    }

    private async Task BudgetAsync(string team, string spec)
    {
        var full = JsonNode.Parse(spec)!.AsObject();
        full["selector"] = new JsonObject { ["matchExpressions"] = new JsonArray(new JsonObject { ["key"] = "app", ["operator"] = "In", ["values"] = new JsonArray("x", "y") }) };
        var (code, body) = await server.SendAsync(HttpMethod.Post, $"/apis/policy/v1/namespaces/{team}/poddisruptionbudgets", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "guard" }, ["spec"] = full }.ToJsonString());
        Assert.True(code == 201, body.ToJsonString());
    }

    private Task<(int Code, JsonObject Body)> EvictAsync(string team, string name, string options = "{}") =>
        server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/pods/{name}/eviction", $$$"""{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "{{{name}}}"}, "deleteOptions": {{{options}}} }""");

    private Task<(int Code, JsonObject Body)> ScaledDefinitionAsync() => server.SendAsync(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", """
        {"metadata": {"name": "sets.example.com"}, "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "sets", "kind": "Set"}, "versions": [{"name": "v1", "served": true, "storage": true,
          "subresources": {"scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
          "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}
        """);

    private async Task<JsonObject> UntilAsync(string path, Func<JsonObject, bool> condition)
    {
        while (true)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            if ((await server.SendAsync(HttpMethod.Get, path)).Body is var found && condition(found))
            {
                return found;
            }
        }
    }
}
