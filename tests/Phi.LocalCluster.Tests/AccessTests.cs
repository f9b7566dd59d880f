using System.Text.Json.Nodes;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>Service account tokens, roles and bindings, impersonation, and kubectl auth.</summary>
public sealed class AccessTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";
    private const string MergePatch = "application/merge-patch+json";

    [Fact]
    public async Task Token_OfAnAccountWithoutRoles_MayNothingInItsNamespace()
    {
        var (team, token) = await AccountAsync();

        var (code, status) = await server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/{team}/pods", token: token);
        var (named, one) = await server.SendAsync(HttpMethod.Delete, $"/apis/coordination.k8s.io/v1/namespaces/{team}/leases/l", token: token);
        var (cluster, nodes) = await server.SendAsync(HttpMethod.Get, "/api/v1/nodes", token: token);

        Assert.Equal((403, 403, 403), (code, named, cluster));
        Assert.Equal($"pods is forbidden: User \"system:serviceaccount:{team}:robot\" cannot list resource \"pods\" in API group \"\" in the namespace \"{team}\"", (string?)status["message"]);
        Assert.Equal($"leases.coordination.k8s.io \"l\" is forbidden: User \"system:serviceaccount:{team}:robot\" cannot delete resource \"leases\" in API group \"coordination.k8s.io\" in the namespace \"{team}\"", (string?)one["message"]);
        Assert.EndsWith("cannot list resource \"nodes\" in API group \"\" at the cluster scope", (string?)nodes["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Role_AllowsWhatItNamesAndNoMore()
    {
        var (team, token) = await AccountAsync();
        await RoleAsync(team, """{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get", "patch"]}, {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["*"]}""");
        await BindAsync(team, "Role", "can", "robot");
        var maps = $"/api/v1/namespaces/{team}/configmaps";
        await server.SendAsync(HttpMethod.Post, maps, """{"metadata": {"name": "mine"}}""");

        var mine = await server.SendAsync(HttpMethod.Get, $"{maps}/mine", token: token);
        var patched = await server.SendAsync(HttpMethod.Patch, $"{maps}/mine", """{"data": {"a": "b"}}""", MergePatch, token);
        var other = await server.SendAsync(HttpMethod.Get, $"{maps}/other", token: token);
        var listed = await server.SendAsync(HttpMethod.Get, maps, token: token);
        var log = await server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/{team}/pods/none/log", token: token);
        var elsewhere = await server.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/configmaps/mine", token: token);

        Assert.Equal((200, 200, 403, 403, 404, 403), (mine.Code, patched.Code, other.Code, listed.Code, log.Code, elsewhere.Code));
    }

    [Fact]
    public async Task Apply_ThatCreates_NeedsCreateToo()
    {
        var (team, token) = await AccountAsync();
        await RoleAsync(team, """{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}""");
        await BindAsync(team, "Role", "can", "robot");
        var path = $"/api/v1/namespaces/{team}/configmaps/new?fieldManager=m";
        const string Map = """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}}""";

        var (refused, status) = await server.SendAsync(HttpMethod.Patch, path, Map, "application/apply-patch+yaml", token);
        await server.SendAsync(HttpMethod.Patch, path, Map, "application/apply-patch+yaml");
        var (allowed, _) = await server.SendAsync(HttpMethod.Patch, path, Map, "application/apply-patch+yaml", token);

        Assert.Equal((403, 200), (refused, allowed));
        Assert.Contains("cannot create resource \"configmaps\"", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_EndsWithItsAccountAndItsPod()
    {
        var (team, token) = await AccountAsync();
        await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/pods", """{"metadata": {"name": "home"}, "spec": {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "i"}]}}""");
        var (_, bound) = await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/serviceaccounts/robot/token", """{"spec": {"boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": "home"}}}""");
        var ofPod = (string)bound["status"]!["token"]!;
        var before = await ReviewAsync(ofPod);

        await server.SendAsync(HttpMethod.Delete, $"/api/v1/namespaces/{team}/pods/home");
        var (afterPod, stillOwn) = (await ReviewAsync(ofPod), await ReviewAsync(token));
        await server.SendAsync(HttpMethod.Delete, $"/api/v1/namespaces/{team}/serviceaccounts/robot");
        await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/serviceaccounts", """{"metadata": {"name": "robot"}}""");

        Assert.Equal("home", (string?)before["user"]!["extra"]!["authentication.kubernetes.io/pod-name"]![0]);
        Assert.Null(afterPod["authenticated"]);
        Assert.True((bool?)stillOwn["authenticated"]);
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "/version", token: token)).Code);
    }

    [Fact]
    public async Task Token_OfAnotherAudience_IsNotForThisServer()
    {
        var (team, _) = await AccountAsync();
        var (_, made) = await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/serviceaccounts/robot/token", """{"spec": {"audiences": ["vault"], "expirationSeconds": 600}}""");
        var token = (string)made["status"]!["token"]!;
        var claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(token.Split('.')[1]))!;

        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "/version", token: token)).Code);
        Assert.Equal("vault", (string?)(await ReviewAsync(token, "vault"))["audiences"]![0]);
        Assert.Equal(("vault", 600, $"system:serviceaccount:{team}:robot", team), ((string?)claims["aud"]![0], (long)claims["exp"]! - (long)claims["iat"]!, (string?)claims["sub"], (string?)claims["kubernetes.io"]!["namespace"]));
        Assert.Equal(422, (await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/serviceaccounts/robot/token", """{"spec": {"expirationSeconds": 599}}""")).Code);
    }

    [Fact]
    public async Task Token_WithAChangedClaim_IsUnauthorized()
    {
        var (_, token) = await AccountAsync();
        var parts = token.Split('.');
        var claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]))!;
        claims["exp"] = (long)claims["exp"]! + 1;
        parts[1] = System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.UTF8.GetBytes(claims.ToJsonString()));

        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "/version", token: string.Join('.', parts))).Code);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/version", token: token)).Code);
    }

    [Fact]
    public async Task Token_AfterARestart_IsStillGood()
    {
        var (_, token) = await AccountAsync();

        await server.RestartAsync();

        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "/version", token: token)).Code);
    }

    [Fact]
    public async Task Account_Default_ComesWithANamespaceAndComesBack()
    {
        var (team, _) = await AccountAsync();
        var path = $"/api/v1/namespaces/{team}/serviceaccounts/default";
        var first = await UntilAsync(path, _ => true);

        await server.SendAsync(HttpMethod.Delete, path);

        await UntilAsync(path, again => (string?)again["metadata"]!["uid"] != (string?)first["metadata"]!["uid"]);
    }

    [Fact]
    public async Task Escalation_ByAnAdminOfANamespace_IsForbidden()
    {
        var (team, token) = await AccountAsync();
        await BindAsync(team, "ClusterRole", "admin", "robot");
        await UntilAllowedAsync(team, token);

        var own = await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/{team}/roles", Role("own", """{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}"""), token: token);
        var more = await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/{team}/roles", Role("more", """{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}"""), token: token);
        var bind = await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/{team}/rolebindings", Binding("up", "ClusterRole", "cluster-admin", "robot"), token: token);
        var view = await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/{team}/rolebindings", Binding("side", "ClusterRole", "view", "robot"), token: token);

        Assert.Equal((201, 403, 403, 201), (own.Code, more.Code, bind.Code, view.Code));
        Assert.Equal($"roles.rbac.authorization.k8s.io \"more\" is forbidden: user \"system:serviceaccount:{team}:robot\" (groups=[\"system:serviceaccounts\" \"system:serviceaccounts:{team}\" \"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"list\"]}}", (string?)more.Body["message"]);
    }

    [Fact]
    public async Task ClusterRole_WithAnAggregationRule_HoldsWhatItsPartsSay()
    {
        await server.SendAsync(HttpMethod.Post, $"{Rbac}/clusterroles", """{"metadata": {"name": "part", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}, "rules": [{"apiGroups": ["phi-orchestrator.io"], "resources": ["trainingjobs"], "verbs": ["get"]}]}""");

        foreach (var name in new[] { "view", "edit", "admin" })
        {
            await UntilAsync($"{Rbac}/clusterroles/{name}", role => role["rules"]!.AsArray().Any(rule => (string?)rule!["resources"]![0] == "trainingjobs"));
        }
    }

    [Theory]
    [InlineData("roles", """{"metadata": {"name": "x"}, "rules": [{"apiGroups": [""], "resources": ["pods"]}]}""", "rules[0].verbs: Required value: verbs must contain at least one value")]
    [InlineData("roles", """{"metadata": {"name": "x"}, "rules": [{"nonResourceURLs": ["/a"], "verbs": ["get"]}]}""", "namespaced rules cannot apply to non-resource URLs")]
    [InlineData("rolebindings", """{"metadata": {"name": "x"}, "roleRef": {"kind": "Group", "name": "y"}}""", "supported values: \"ClusterRole\", \"Role\"")]
    [InlineData("rolebindings", """{"metadata": {"name": "x"}, "roleRef": {"kind": "Role", "name": "y"}, "subjects": [{"kind": "Pod", "name": "p"}]}""", "subjects[0].kind")]
    public async Task RoleOrBinding_ThatIsNotValid_IsRefused(string plural, string body, string expected)
    {
        var (code, status) = await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/default/{plural}", body);

        Assert.Equal(422, code);
        Assert.Contains(expected, (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Binding_RoleRefNeverChanges()
    {
        var (team, _) = await AccountAsync();
        await BindAsync(team, "ClusterRole", "view", "robot");

        var (code, status) = await server.SendAsync(HttpMethod.Patch, $"{Rbac}/namespaces/{team}/rolebindings/bound", """{"roleRef": {"name": "edit"}}""", MergePatch);

        Assert.Equal(422, code);
        Assert.Contains("cannot change roleRef", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_Auth_AnswersForMeAndForOthers()
    {
        var (team, _) = await AccountAsync();
        var robot = $"system:serviceaccount:{team}:robot";
        await KubectlAsync($"create role reader --verb=get,list --resource=pods,pods/log -n {team}");
        await KubectlAsync($"create rolebinding reads --role=reader --serviceaccount={team}:robot -n {team}");
        await KubectlAsync($"create clusterrole urls --verb=get --non-resource-url=/metrics");
        await KubectlAsync($"create clusterrolebinding urls --clusterrole=urls --group=scrapers --user=ann");

        Assert.Contains("phi-admin", await KubectlAsync("auth whoami"), StringComparison.Ordinal);
        Assert.Contains("system:masters", await KubectlAsync("auth whoami"), StringComparison.Ordinal);
        Assert.Equal("yes\n", await KubectlAsync($"auth can-i list pods -n {team} --as={robot}"));
        Assert.Equal("yes\n", await KubectlAsync($"auth can-i get pods/log -n {team} --as={robot}"));
        Assert.Equal("no\n", (await server.KubectlAsync("", "auth", "can-i", "delete", "pods", "-n", team, $"--as={robot}")).Output);
        Assert.Equal("yes\n", await KubectlAsync("auth can-i get /metrics --as=bob --as-group=scrapers"));
        Assert.Contains("pods/log", await KubectlAsync($"auth can-i --list -n {team} --as={robot}"), StringComparison.Ordinal);
        Assert.Contains("cannot list resource \"secrets\"", (await server.KubectlAsync("", "get", "secrets", "-n", team, $"--as={robot}")).Error, StringComparison.Ordinal);
        Assert.Contains("Role/reader", await KubectlAsync($"get rolebindings -n {team} -o wide"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_CreateToken_LogsIn()
    {
        var (team, _) = await AccountAsync();

        var token = (await KubectlAsync($"create token robot -n {team} --duration=20m")).Trim();

        var whoami = await server.KubectlAsync("", "auth", "whoami", "--token", token, "-o", "jsonpath={.status.userInfo.username}");
        Assert.Equal($"system:serviceaccount:{team}:robot", whoami.Output);
    }

    [Fact]
    public async Task Impersonation_WithoutTheRight_IsForbidden()
    {
        var (team, token) = await AccountAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/pods");
        request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", token);
        request.Headers.Add("Impersonate-User", "ann");

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(403, (int)response.StatusCode);
        Assert.Contains($"users \\\"ann\\\" is forbidden: User \\\"system:serviceaccount:{team}:robot\\\" cannot impersonate resource \\\"users\\\"", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AccessReview_OfAnotherUser_FollowsItsBindings()
    {
        const string Question = """{"spec": {"user": "carl", "groups": ["system:authenticated"], "resourceAttributes": {"verb": "create", "group": "authorization.k8s.io", "resource": "selfsubjectaccessreviews"}}}""";

        var (code, answer) = await server.SendAsync(HttpMethod.Post, "/apis/authorization.k8s.io/v1/subjectaccessreviews", Question);
        var (_, without) = await server.SendAsync(HttpMethod.Post, "/apis/authorization.k8s.io/v1/subjectaccessreviews", Question.Replace("system:authenticated", "none", StringComparison.Ordinal));
        var (local, _) = await server.SendAsync(HttpMethod.Post, "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", Question);

        Assert.Equal((201, true, false, 422), (code, (bool?)answer["status"]!["allowed"], (bool?)without["status"]!["allowed"], local));
    }

    private async Task<(string Namespace, string Token)> AccountAsync()
    {
        var (_, made) = await server.SendAsync(HttpMethod.Post, "/api/v1/namespaces", """{"metadata": {"generateName": "team-"}}""");
        var team = (string)made["metadata"]!["name"]!;
        await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/serviceaccounts", """{"metadata": {"name": "robot"}}""");
        var (code, request) = await server.SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{team}/serviceaccounts/robot/token", "{}");
        Assert.True(code == 201, request.ToJsonString());
        return (team, (string)request["status"]!["token"]!);
    }

    private async Task RoleAsync(string team, string rules) =>
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/{team}/roles", Role("can", rules))).Code);

    private async Task BindAsync(string team, string kind, string role, string account) =>
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, $"{Rbac}/namespaces/{team}/rolebindings", Binding("bound", kind, role, account))).Code);

    private static string Role(string name, string rules) => $$$"""{"metadata": {"name": "{{{name}}}"}, "rules": [{{{rules}}}]}""";

    private static string Binding(string name, string kind, string role, string account) =>
        $$$"""{"metadata": {"name": "{{{name}}}"}, "roleRef": {"kind": "{{{kind}}}", "name": "{{{role}}}"}, "subjects": [{"kind": "ServiceAccount", "name": "{{{account}}}"}]}""";

    private async Task<JsonNode> ReviewAsync(string token, string? audience = null)
    {
        var spec = new JsonObject { ["token"] = token, ["audiences"] = audience is null ? null : new JsonArray(audience) };
        return (await server.SendAsync(HttpMethod.Post, "/apis/authentication.k8s.io/v1/tokenreviews", new JsonObject { ["spec"] = spec }.ToJsonString())).Body["status"]!;
    }

    /// <summary>The aggregated roles are filled soon after the server's start.</summary>
    private async Task UntilAllowedAsync(string team, string token)
    {
        while ((await server.SendAsync(HttpMethod.Get, $"{Rbac}/namespaces/{team}/roles", token: token)).Code != 200
            || (await server.SendAsync(HttpMethod.Get, $"/api/v1/namespaces/{team}/pods", token: token)).Code != 200)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task<JsonObject> UntilAsync(string path, Func<JsonObject, bool> condition)
    {
        while (true)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            if (await server.SendAsync(HttpMethod.Get, path) is { Code: 200 } found && condition(found.Body))
            {
                return found.Body;
            }
        }
    }

    private async Task<string> KubectlAsync(string command)
    {
        var done = await server.KubectlAsync("", command.Split(' '));
        Assert.True(done.Code == 0, $"{command}: {done.Error}");
        return done.Output;
    }
}
