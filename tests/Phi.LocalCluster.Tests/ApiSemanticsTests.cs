using System.Text.Json.Nodes;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>What clients of a Kubernetes API server depend on, over HTTP.</summary>
public sealed class ApiSemanticsTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Maps = "/api/v1/namespaces/default/configmaps";
    private const string MergePatch = "application/merge-patch+json";
    private const string ApplyPatch = "application/apply-patch+yaml";

    [Fact]
    public async Task Update_WithAnOldVersion_IsAConflict()
    {
        var created = await CreateAsync("conflict", """{"a": "1"}""");
        await server.SendAsync(HttpMethod.Patch, $"{Maps}/conflict", """{"data": {"a": "2"}}""", MergePatch);

        var (code, status) = await server.SendAsync(HttpMethod.Put, $"{Maps}/conflict", created.ToJsonString());

        Assert.Equal((409, "Conflict"), (code, (string?)status["reason"]));
    }

    [Fact]
    public async Task Create_Twice_AlreadyExists()
    {
        await CreateAsync("twice", "{}");

        var (code, status) = await server.SendAsync(HttpMethod.Post, Maps, """{"metadata": {"name": "twice"}}""");

        Assert.Equal((409, "AlreadyExists"), (code, (string?)status["reason"]));
    }

    [Fact]
    public async Task Create_WithGenerateName_GetsASuffix()
    {
        var (code, created) = await server.SendAsync(HttpMethod.Post, Maps, """{"metadata": {"generateName": "made-"}}""");

        Assert.Equal(201, code);
        Assert.Matches("^made-[a-z0-9]{5}$", (string?)created["metadata"]!["name"]);
    }

    [Fact]
    public async Task Create_AsADryRun_StoresNothing()
    {
        var (code, _) = await server.SendAsync(HttpMethod.Post, $"{Maps}?dryRun=All", """{"metadata": {"name": "dry"}}""");

        Assert.Equal(201, code);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"{Maps}/dry")).Code);
    }

    [Fact]
    public async Task Patch_ThatChangesNothing_KeepsTheVersion()
    {
        var created = await CreateAsync("same", """{"a": "1"}""");

        var (_, patched) = await server.SendAsync(HttpMethod.Patch, $"{Maps}/same", """{"data": {"a": "1"}}""", MergePatch);

        Assert.Equal(Version(created), Version(patched));
    }

    [Fact]
    public async Task Patch_ThatIsNoApply_CannotBeForced()
    {
        await CreateAsync("unforced", "{}");

        var (code, status) = await server.SendAsync(HttpMethod.Patch, $"{Maps}/unforced?force=true", """{"data": {"a": "1"}}""", MergePatch);

        Assert.Equal((422, "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch"), (code, (string?)status["message"]));
    }

    [Fact]
    public async Task Watch_FromAVersion_BringsEveryChangeAfterIt()
    {
        var created = await CreateAsync("watched", "{}");
        await server.SendAsync(HttpMethod.Patch, $"{Maps}/watched", """{"data": {"a": "1"}}""", MergePatch);
        await server.SendAsync(HttpMethod.Delete, $"{Maps}/watched");

        using var stream = new StreamReader(await server.Http.GetStreamAsync($"{Maps}?watch=true&resourceVersion={Version(created)}&fieldSelector=metadata.name%3Dwatched", TestContext.Current.CancellationToken));
        var types = new List<string>();
        while (types.Count < 2)
        {
            types.Add((string)JsonNode.Parse((await stream.ReadLineAsync(TestContext.Current.CancellationToken))!)!["type"]!);
        }

        Assert.Equal(["MODIFIED", "DELETED"], types);
    }

    [Fact]
    public async Task Watch_ThatStartsBeforeTheHistory_IsGone()
    {
        await server.RestartAsync();
        await CreateAsync("after-restart", "{}");

        using var stream = new StreamReader(await server.Http.GetStreamAsync($"{Maps}?watch=true&resourceVersion=1", TestContext.Current.CancellationToken));
        var change = JsonNode.Parse((await stream.ReadLineAsync(TestContext.Current.CancellationToken))!)!;

        Assert.Equal(("ERROR", 410), ((string?)change["type"], (int?)change["object"]!["code"]));
    }

    [Fact]
    public async Task Restart_KeepsObjectsAndVersionsGrow()
    {
        var created = await CreateAsync("kept", """{"a": "1"}""");

        await server.RestartAsync();

        var (_, found) = await server.SendAsync(HttpMethod.Get, $"{Maps}/kept");
        Assert.Equal(created.ToJsonString(), found.ToJsonString());
        Assert.True(Version(await CreateAsync("later", "{}")) > Version(created));
    }

    [Fact]
    public async Task Finalizer_HoldsADeletedObjectUntilItIsRemoved()
    {
        await server.SendAsync(HttpMethod.Post, Maps, """{"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}""");

        await server.SendAsync(HttpMethod.Delete, $"{Maps}/held");
        var (code, marked) = await server.SendAsync(HttpMethod.Get, $"{Maps}/held");
        await server.SendAsync(HttpMethod.Patch, $"{Maps}/held", """{"metadata": {"finalizers": null}}""", MergePatch);

        Assert.Equal(200, code);
        Assert.NotNull(marked["metadata"]!["deletionTimestamp"]);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"{Maps}/held")).Code);
    }

    [Fact]
    public async Task Owner_Deleted_TakesItsDependentsAlong()
    {
        var owner = await CreateAsync("owner", "{}");
        await server.SendAsync(HttpMethod.Post, Maps, $$$"""{"metadata": {"name": "dependent", "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "{{{owner["metadata"]!["uid"]}}}"}]} }""");

        await server.SendAsync(HttpMethod.Delete, $"{Maps}/owner");

        await UntilGoneAsync($"{Maps}/dependent");
    }

    [Fact]
    public async Task Namespace_Deleted_TakesItsContentAlong()
    {
        await server.SendAsync(HttpMethod.Post, "/api/v1/namespaces", """{"metadata": {"name": "team"}}""");
        await server.SendAsync(HttpMethod.Post, "/api/v1/namespaces/team/configmaps", """{"metadata": {"name": "inside"}}""");

        await server.SendAsync(HttpMethod.Delete, "/api/v1/namespaces/team");

        await UntilGoneAsync("/api/v1/namespaces/team");
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "/api/v1/namespaces/team/configmaps/inside")).Code);
    }

    [Fact]
    public async Task Apply_ByTwoManagers_ConflictsAndForgetsWhatIsNoLongerApplied()
    {
        await ApplyAsync("shared", "one", """{"a": "1", "b": "1"}""");
        var (conflict, status) = await ApplyAsync("shared", "two", """{"a": "2"}""");
        var (forced, _) = await ApplyAsync("shared", "two", """{"a": "2"}""", "&force=true");
        var (_, after) = await ApplyAsync("shared", "one", """{"c": "3"}""");

        Assert.Equal((409, 200), (conflict, forced));
        Assert.Contains("conflict with \"one\": .data.a", (string?)status["message"], StringComparison.Ordinal);
        Assert.Equal("""{"a":"2","c":"3"}""", after["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Status_OfACustomObject_IsWrittenByItsSubresourceAlone()
    {
        const string Jobs = "/apis/phi-orchestrator.io/v1alpha1/namespaces/default/trainingjobs";
        await server.SendAsync(HttpMethod.Post, Jobs, """{"metadata": {"name": "job"}, "spec": {"phi": {"steps": 5, "data": {"sources": ["/x"]}}}, "status": {"phase": "Running"}}""");

        var (_, viaObject) = await server.SendAsync(HttpMethod.Patch, $"{Jobs}/job", """{"status": {"phase": "Running"}, "spec": {"phi": {"steps": 6}}}""", MergePatch);
        var (_, viaStatus) = await server.SendAsync(HttpMethod.Patch, $"{Jobs}/job/status", """{"status": {"phase": "Running"}, "spec": {"phi": {"steps": 7}}}""", MergePatch);

        Assert.Null(viaObject["status"]);
        Assert.Equal(2, (int?)viaObject["metadata"]!["generation"]);
        Assert.Equal("Running", (string?)viaStatus["status"]!["phase"]);
        Assert.Equal((6, 2), ((int)viaStatus["spec"]!["phi"]!["steps"]!, (int)viaStatus["metadata"]!["generation"]!));
    }

    [Fact]
    public async Task List_WithALimit_ContinuesWhereItStopped()
    {
        foreach (var i in Enumerable.Range(0, 5))
        {
            await server.SendAsync(HttpMethod.Post, Maps, $$$"""{"metadata": {"name": "page-{{{i}}}", "labels": {"paged": "yes"}} }""");
        }

        var (_, first) = await server.SendAsync(HttpMethod.Get, $"{Maps}?labelSelector=paged&limit=3");
        var (_, second) = await server.SendAsync(HttpMethod.Get, $"{Maps}?labelSelector=paged&limit=3&continue={Uri.EscapeDataString((string)first["metadata"]!["continue"]!)}");

        Assert.Equal(["page-0", "page-1", "page-2"], Names(first));
        Assert.Equal(["page-3", "page-4"], Names(second));
        Assert.Null(second["metadata"]!["continue"]);
    }

    [Fact]
    public async Task Request_WithoutTheToken_IsUnauthorized()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Maps);
        request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", "wrong");

        using var response = await server.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(401, (int)response.StatusCode);
    }

    private async Task<JsonObject> CreateAsync(string name, string data)
    {
        var (code, created) = await server.SendAsync(HttpMethod.Post, Maps, $$$"""{"metadata": {"name": "{{{name}}}"}, "data": {{{data}}} }""");
        Assert.Equal(201, code);
        return created;
    }

    private Task<(int Code, JsonObject Body)> ApplyAsync(string name, string manager, string data, string query = "") => server.SendAsync(
        HttpMethod.Patch, $"{Maps}/{name}?fieldManager={manager}{query}", $$$"""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{{name}}}"}, "data": {{{data}}} }""", ApplyPatch);

    private async Task UntilGoneAsync(string path)
    {
        while ((await server.SendAsync(HttpMethod.Get, path)).Code != 404)
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static long Version(JsonObject value) => long.Parse((string)value["metadata"]!["resourceVersion"]!, System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Names(JsonObject list) => list["items"]!.AsArray().Select(item => (string)item!["metadata"]!["name"]!);
}
