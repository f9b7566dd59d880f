using System.Text.Json.Nodes;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>Who owns which field: server-side apply over HTTP, and kubectl's commands that depend on it.</summary>
public sealed class ServerSideApplyTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Core = "/api/v1/namespaces/default";
    private const string Jobs = "/apis/phi-orchestrator.io/v1alpha1/namespaces/default/trainingjobs";
    private const string MergePatch = "application/merge-patch+json";
    private const string ApplyPatch = "application/apply-patch+yaml";

    [Fact]
    public async Task Conflict_NamesManagerFieldAndOperation()
    {
        await server.SendAsync(HttpMethod.Post, $"{Core}/configmaps?fieldManager=maker", """{"metadata": {"name": "contested"}, "data": {"a": "1", "b": "1"}}""");

        var (one, single) = await ApplyAsync("contested", "applier", """{"a": "2"}""");
        var (two, several) = await ApplyAsync("contested", "applier", """{"a": "2", "b": "2"}""");

        Assert.Equal((409, 409), (one, two));
        Assert.Equal("Apply failed with 1 conflict: conflict with \"maker\" using v1: .data.a", (string?)single["message"]);
        Assert.Equal("Apply failed with 2 conflicts: conflicts with \"maker\" using v1:\n- .data.a\n- .data.b", (string?)several["message"]);
        var cause = several["details"]!["causes"]![1]!;
        Assert.Equal(("FieldManagerConflict", "conflict with \"maker\" using v1", ".data.b"), ((string?)cause["reason"], (string?)cause["message"], (string?)cause["field"]));
    }

    [Fact]
    public async Task Apply_OfTheSameValue_SharesTheField()
    {
        await ApplyAsync("shared", "one", """{"a": "1"}""");
        var (code, _) = await ApplyAsync("shared", "two", """{"a": "1"}""");

        await ApplyAsync("shared", "one", "{}");

        Assert.Equal(200, code);
        Assert.Equal("1", (string?)(await GetAsync($"{Core}/configmaps/shared"))["data"]!["a"]);
    }

    [Fact]
    public async Task Apply_ForcedOver_TakesTheFieldFromTheOther()
    {
        await ApplyAsync("forced", "one", """{"a": "1", "b": "1"}""");
        await ApplyAsync("forced", "two", """{"a": "2"}""", "&force=true");

        var map = await GetAsync($"{Core}/configmaps/forced");

        Assert.Equal("""{"f:data":{"f:b":{}}}""", Owned(map, "one"));
        Assert.Equal("""{"f:data":{"f:a":{}}}""", Owned(map, "two"));
    }

    [Fact]
    public async Task Apply_OfPorts_KeepsTheSamePortOfAnotherProtocol()
    {
        await ApplyServiceAsync("one", """[{"name": "t", "port": 53}]""");
        await ApplyServiceAsync("two", """[{"name": "u", "port": 53, "protocol": "UDP"}]""");
        var both = await GetAsync($"{Core}/services/dns");
        await ApplyServiceAsync("one", """[{"name": "t", "port": 53, "protocol": "TCP", "targetPort": 5353}]""");
        await ApplyServiceAsync("two", "[]");
        var after = await GetAsync($"{Core}/services/dns");

        Assert.Equal(["53/TCP", "53/UDP"], Ports(both));
        Assert.Equal(["53/TCP"], Ports(after));
        Assert.Equal(5353, (int)after["spec"]!["ports"]![0]!["targetPort"]!);

        static IEnumerable<string> Ports(JsonObject service) => service["spec"]!["ports"]!.AsArray().Select(port => $"{port!["port"]}/{port["protocol"]}");
    }

    [Fact]
    public async Task Apply_OfFinalizers_AddsAndRemovesItsOwn()
    {
        Task Apply(string manager, string finalizers) => server.SendAsync(
            HttpMethod.Patch, $"{Core}/configmaps/set?fieldManager={manager}", $$$"""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "set", "finalizers": {{{finalizers}}} }}""", ApplyPatch);
        await Apply("one", """["example.com/a", "example.com/b"]""");
        await Apply("two", """["example.com/c"]""");

        await Apply("one", """["example.com/b"]""");

        Assert.Equal("""["example.com/b","example.com/c"]""", (await GetAsync($"{Core}/configmaps/set"))["metadata"]!["finalizers"]!.ToJsonString());
    }

    [Fact]
    public async Task Apply_OfAStatus_OwnsTheStatusAlone()
    {
        await server.SendAsync(HttpMethod.Post, $"{Jobs}?fieldManager=maker", """{"metadata": {"name": "job"}, "spec": {"phi": {"steps": 5, "data": {"sources": ["/x"]}}}}""");
        var (code, _) = await server.SendAsync(HttpMethod.Patch, $"{Jobs}/job/status?fieldManager=operator", """{"apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingJob", "metadata": {"name": "job", "labels": {"x": "y"}}, "spec": {"phi": {"steps": 9}}, "status": {"phase": "Running"}}""", ApplyPatch);
        var (other, conflict) = await server.SendAsync(HttpMethod.Patch, $"{Jobs}/job/status?fieldManager=second", """{"apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingJob", "metadata": {"name": "job"}, "status": {"phase": "Failed"}}""", ApplyPatch);
        var (viaObject, _) = await server.SendAsync(HttpMethod.Patch, $"{Jobs}/job?fieldManager=third", """{"apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingJob", "metadata": {"name": "job"}, "status": {"phase": "Failed"}}""", ApplyPatch);

        var job = await GetAsync($"{Jobs}/job");
        Assert.Equal((200, 409, 200), (code, other, viaObject));
        Assert.Equal(("Running", 5), ((string?)job["status"]!["phase"], (int)job["spec"]!["phi"]!["steps"]!));
        Assert.Equal("""{"f:status":{"f:phase":{}}}""", Owned(job, "operator"));
        Assert.Equal("status", (string?)Entry(job, "operator")!["subresource"]);
        Assert.Null(Entry(job, "third"));
        Assert.Contains("conflict with \"operator\" with subresource \"status\": .status.phase", (string?)conflict["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_OfAPod_LeavesItsFirstStatusToOthers()
    {
        await server.SendAsync(HttpMethod.Post, $"{Core}/pods?fieldManager=maker", """{"metadata": {"name": "fresh"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}""");

        var (code, body) = await server.SendAsync(HttpMethod.Patch, $"{Core}/pods/fresh/status?fieldManager=kubelet", """{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fresh"}, "status": {"phase": "Running"}}""", ApplyPatch);

        Assert.True(code == 200, body.ToJsonString());
        Assert.DoesNotContain("f:status", Owned(body, "maker"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_ToWhatNobodyOwns_MeetsTheManagerBeforeIt()
    {
        await server.SendAsync(HttpMethod.Post, $"{Core}/configmaps", """{"metadata": {"name": "reset"}, "data": {"a": "1"}}""");
        await server.SendAsync(HttpMethod.Patch, $"{Core}/configmaps/reset", """{"metadata": {"managedFields": [{}]}}""", MergePatch);
        var reset = await GetAsync($"{Core}/configmaps/reset");

        var (code, status) = await ApplyAsync("reset", "applier", """{"a": "2"}""");

        Assert.True(reset["metadata"]!["managedFields"] is null or JsonArray { Count: 0 });
        Assert.Equal((409, "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a"), (code, (string?)status["message"]));
    }

    /// <summary>As kube-apiserver 1.36 answers: without a reason, and so that nothing is stored.</summary>
    [Theory]
    [InlineData("Strict")]
    [InlineData("Warn")]
    [InlineData("Ignore")]
    public async Task Apply_OfAFieldThatTheTypeLacks_IsRefusedWhateverTheValidation(string validation)
    {
        var (custom, job) = await server.SendAsync(
            HttpMethod.Patch, $"{Jobs}/typo?fieldManager=m&fieldValidation={validation}", """{"apiVersion": "phi-orchestrator.io/v1alpha1", "kind": "TrainingJob", "metadata": {"name": "typo", "namespace": "default"}, "spec": {"phi": {"stepz": 5, "data": {"sources": ["/x"]}}}}""", ApplyPatch);
        var (builtIn, pod) = await server.SendAsync(
            HttpMethod.Patch, $"{Core}/pods/typo?fieldManager=m&fieldValidation={validation}", """{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "typo"}, "spec": {"containers": [{"name": "c", "image": "i", "typo": 1}]}}""", ApplyPatch);

        Assert.Equal((500, 500), (custom, builtIn));
        Assert.Equal("failed to create typed patch object (default/typo; phi-orchestrator.io/v1alpha1, Kind=TrainingJob): .spec.phi.stepz: field not declared in schema", (string?)job["message"]);
        Assert.Equal("failed to create typed patch object (/typo; /v1, Kind=Pod): .spec.containers[name=\"c\"].typo: field not declared in schema", (string?)pod["message"]);
        Assert.False(job.ContainsKey("reason"));
        Assert.Equal((404, 404), ((await server.SendAsync(HttpMethod.Get, $"{Jobs}/typo")).Code, (await server.SendAsync(HttpMethod.Get, $"{Core}/pods/typo")).Code));
    }

    [Fact]
    public async Task Apply_UnderAnotherName_IsRefused()
    {
        var (code, _) = await server.SendAsync(HttpMethod.Patch, $"{Core}/configmaps/url?fieldManager=m", """{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "body"}}""", ApplyPatch);

        Assert.Equal(400, code);
    }

    [Fact]
    public async Task Kubectl_MovesFromClientSideToServerSideApply()
    {
        const string Map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: moved}\ndata: {a: \"1\", b: \"1\"}\n";
        await KubectlAsync(Map, "apply", "-f", "-");
        await KubectlAsync(Map.Replace("a: \"1\"", "a: \"2\"", StringComparison.Ordinal), "apply", "--server-side", "-f", "-");
        await KubectlAsync(Map.Replace(", b: \"1\"", "", StringComparison.Ordinal), "apply", "--server-side", "-f", "-");

        var map = await GetAsync($"{Core}/configmaps/moved");
        Assert.Equal("""{"a":"1"}""", map["data"]!.ToJsonString());
        Assert.Contains("f:data", Owned(map, "kubectl"), StringComparison.Ordinal);

        var refused = await server.KubectlAsync(Map.Replace("a: \"1\"", "a: \"3\"", StringComparison.Ordinal), "apply", "--server-side", "--field-manager=other", "-f", "-");
        Assert.Contains("conflict with \"kubectl\": .data.a", refused.Error, StringComparison.Ordinal);
        await KubectlAsync(Map.Replace("a: \"1\"", "a: \"3\"", StringComparison.Ordinal), "apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-");
        Assert.Contains("manager: other", (await KubectlAsync("", "get", "cm", "moved", "-o", "yaml", "--show-managed-fields")), StringComparison.Ordinal);
        Assert.DoesNotContain("managedFields", (await KubectlAsync("", "get", "cm", "moved", "-o", "yaml")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_EditReplaceLabelAnnotate_Work()
    {
        await KubectlAsync("", "create", "configmap", "edited", "--from-literal=a=before");
        var editor = Path.Combine(server.Folder, "editor.sh");
        await File.WriteAllTextAsync(editor, "#!/bin/sh\nsed -i s/before/after/ \"$1\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(editor, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Environment.SetEnvironmentVariable("KUBE_EDITOR", $"'{editor}'");

        await KubectlAsync("", "edit", "configmap", "edited");
        await KubectlAsync("", "label", "configmap", "edited", "x=y", "--field-manager=labeler");
        await KubectlAsync("", "annotate", "configmap", "edited", "p=q");
        var text = await KubectlAsync("", "get", "configmap", "edited", "-o", "json");
        await KubectlAsync(text.Replace("after", "replaced", StringComparison.Ordinal), "replace", "-f", "-");
        await KubectlAsync("", "label", "configmap", "edited", "x-");

        var map = await GetAsync($"{Core}/configmaps/edited");
        Assert.Equal(("replaced", "q"), ((string?)map["data"]!["a"], (string?)map["metadata"]!["annotations"]!["p"]));
        Assert.Null(map["metadata"]!["labels"]?["x"]);
        Assert.Equal("""{"f:data":{"f:a":{}}}""", Owned(map, "kubectl-replace"));
        Assert.Null(Entry(map, "labeler"));
    }

    private Task<(int Code, JsonObject Body)> ApplyAsync(string name, string manager, string data, string query = "") => server.SendAsync(
        HttpMethod.Patch, $"{Core}/configmaps/{name}?fieldManager={manager}{query}", $$$"""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{{name}}}"}, "data": {{{data}}} }""", ApplyPatch);

    private async Task ApplyServiceAsync(string manager, string ports)
    {
        var (code, body) = await server.SendAsync(HttpMethod.Patch, $"{Core}/services/dns?fieldManager={manager}", $$$"""{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"}, "spec": {"ports": {{{ports}}} }}""", ApplyPatch);
        Assert.True(code is 200 or 201, body.ToJsonString());
    }

    private async Task<JsonObject> GetAsync(string path) => (await server.SendAsync(HttpMethod.Get, path)).Body;

    private async Task<string> KubectlAsync(string input, params string[] arguments)
    {
        var done = await server.KubectlAsync(input, arguments);
        Assert.True(done.Code == 0, $"{string.Join(' ', arguments)}: {done.Error}");
        return done.Output;
    }

    private static JsonNode? Entry(JsonObject value, string manager) =>
        value["metadata"]!["managedFields"]!.AsArray().SingleOrDefault(entry => (string?)entry!["manager"] == manager);

    private static string Owned(JsonObject value, string manager) => Entry(value, manager)!["fieldsV1"]!.ToJsonString();
}
