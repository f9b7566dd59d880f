using System.Text.Json.Nodes;
using Xunit;

namespace Phi.LocalCluster.Tests;

/// <summary>A definition grows and is rolled back under objects that are there: they stay readable and writable by clients of either.</summary>
public sealed class DefinitionChangeTests(TestServer server) : IClassFixture<TestServer>
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string MergePatch = "application/merge-patch+json";
    private const string ApplyPatch = "application/apply-patch+yaml";

    [Fact]
    public async Task Get_AfterARollback_ShowsWhatTheDefinitionKnows()
    {
        var notes = await RolledBackAsync("shown");

        var (_, one) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");
        var (_, list) = await server.SendAsync(HttpMethod.Get, notes);

        Assert.Equal("""{"text":"a"}""", one["spec"]!.ToJsonString());
        Assert.Equal("""{"phase":"Running"}""", one["status"]!.ToJsonString());
        Assert.Equal(one.ToJsonString(), list["items"]![0]!.ToJsonString());
    }

    [Theory]
    [InlineData("put", "PUT", "")]
    [InlineData("merge", "PATCH", "", MergePatch)]
    [InlineData("apply", "PATCH", "", ApplyPatch)]
    [InlineData("putstatus", "PUT", "/status")]
    [InlineData("mergestatus", "PATCH", "/status", MergePatch)]
    [InlineData("applystatus", "PATCH", "/status", ApplyPatch)]
    public async Task StrictWrite_AfterARollback_LooksAtTheRequestAlone(string kind, string method, string subresource, string contentType = "application/json")
    {
        var notes = await RolledBackAsync(kind);
        var (_, note) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");
        JsonNode body = contentType == "application/json" ? note : Change(kind);
        (body["spec"] ??= new JsonObject())["text"] = "b";
        (body["status"] ??= new JsonObject())["phase"] = "Done";

        var (code, written) = await server.SendAsync(new HttpMethod(method), $"{notes}/one{subresource}?fieldValidation=Strict&fieldManager=older{(contentType == ApplyPatch ? "&force=true" : "")}", body.ToJsonString(), contentType);

        Assert.True(code == 200, written.ToJsonString());
        Assert.Equal(subresource.Length == 0 ? """{"text":"b"}""" : """{"text":"a"}""", written["spec"]!.ToJsonString());
        Assert.Equal(subresource.Length == 0 ? """{"phase":"Running"}""" : """{"phase":"Done"}""", written["status"]!.ToJsonString());
    }

    [Fact]
    public async Task StrictWrite_ThatCarriesWhatTheDefinitionLost_IsRefused()
    {
        var notes = await RolledBackAsync("refused");

        var (code, status) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one?fieldValidation=Strict", """{"spec": {"extra": "y"}}""", MergePatch);

        Assert.Equal(422, code);
        Assert.EndsWith("strict decoding error: unknown field \"spec.extra\"", (string?)status["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forward_BeforeAWrite_BringsTheFieldsBack()
    {
        var notes = await RolledBackAsync("back");
        await DefineAsync("back", isRich: true);

        var (_, note) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");

        Assert.Equal("""{"text":"a","extra":"x"}""", note["spec"]!.ToJsonString());
        Assert.Equal("""{"phase":"Running","detail":"d"}""", note["status"]!.ToJsonString());
    }

    /// <summary>The write of the older client has dropped the fields, but whoever owned them owns them still when they come back.</summary>
    [Theory]
    [InlineData("afterput", "PUT", "application/json")]
    [InlineData("afterapply", "PATCH", ApplyPatch)]
    public async Task Forward_AfterAWrite_LeavesTheFieldsToWhoeverHadThem(string kind, string method, string contentType)
    {
        var notes = await RolledBackAsync(kind);
        var (_, note) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");
        JsonNode body = method == "PUT" ? note : Change(kind);
        (body["spec"] ??= new JsonObject())["text"] = "b";
        var (written, _) = await server.SendAsync(new HttpMethod(method), $"{notes}/one?fieldManager=older&force=true", body.ToJsonString(), contentType);
        await DefineAsync(kind, isRich: true);

        var (_, forth) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");
        var another = Change(kind);
        another["spec"] = new JsonObject { ["extra"] = "y" };
        var (refused, conflict) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one?fieldManager=newer", another.ToJsonString(), ApplyPatch);
        var (code, applied) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one?fieldManager=newer&force=true&fieldValidation=Strict", another.ToJsonString(), ApplyPatch);

        Assert.Equal((200, """{"text":"b"}"""), (written, forth["spec"]!.ToJsonString()));
        Assert.Equal((409, "Apply failed with 1 conflict: conflict with \"first\": .spec.extra"), (refused, (string?)conflict["message"]));
        Assert.Equal((200, """{"text":"b","extra":"y"}"""), (code, applied["spec"]?.ToJsonString()));
        var owners = applied["metadata"]!["managedFields"]!.AsArray().Where(entry => entry!["fieldsV1"]!["f:spec"]?["f:extra"] is not null).Select(entry => (string?)entry!["manager"]);
        Assert.Equal(["newer"], owners);
    }

    /// <summary>As for a storage migration: whoever writes an object back as it was read has it stored as the definition is now.</summary>
    [Fact]
    public async Task Replace_WithWhatWasRead_StoresItAnew()
    {
        var notes = await RolledBackAsync("anew");
        var (_, note) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");

        var (_, first) = await server.SendAsync(HttpMethod.Put, $"{notes}/one", note.ToJsonString());
        var (_, second) = await server.SendAsync(HttpMethod.Put, $"{notes}/one", first.ToJsonString());
        await DefineAsync("anew", isRich: true);
        var (_, forth) = await server.SendAsync(HttpMethod.Get, $"{notes}/one");

        Assert.NotEqual((string?)note["metadata"]!["resourceVersion"], (string?)first["metadata"]!["resourceVersion"]);
        Assert.Equal((string?)first["metadata"]!["resourceVersion"], (string?)second["metadata"]!["resourceVersion"]);
        Assert.Equal(1, (int)second["metadata"]!["generation"]!);
        Assert.Equal("""{"text":"a"}""", forth["spec"]!.ToJsonString());
    }

    [Fact]
    public async Task Default_OfANewField_IsReadBeforeItIsStored()
    {
        await DefineAsync("preset", isRich: false);
        await server.SendAsync(HttpMethod.Post, Notes("preset"), """{"apiVersion": "example.com/v1", "kind": "preset", "metadata": {"name": "one"}, "spec": {"text": "a"}}""");

        await DefineAsync("preset", isRich: true, "\"default\": \"x\",");

        Assert.Equal("x", (string?)(await server.SendAsync(HttpMethod.Get, $"{Notes("preset")}/one")).Body["spec"]!["extra"]);
    }

    /// <summary>A value that the definition takes no more hinders nobody who writes something else; only a rule about the change looks at it still.</summary>
    [Theory]
    [InlineData("enum", """ "enum": ["y"], """, 200, 200)]
    [InlineData("length", """ "minLength": 2, """, 200, 422)]
    [InlineData("rule", """ "x-kubernetes-validations": [{"rule": "self == 'y'"}], """, 200, 200)]
    [InlineData("transition", """ "x-kubernetes-validations": [{"rule": "oldSelf == 'y'"}], """, 422, 422)]
    public async Task Write_BesideAValueThatIsNowRefused_IsTaken(string kind, string constraint, int others, int mended)
    {
        var notes = await RolledBackAsync($"strict{kind}");
        await DefineAsync($"strict{kind}", isRich: true, constraint);

        var (beside, _) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one", """{"spec": {"text": "b"}}""", MergePatch);
        var (status, _) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one/status", """{"status": {"phase": "Done"}}""", MergePatch);
        var (itself, _) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one", """{"spec": {"extra": "z"}}""", MergePatch);
        var (good, _) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one", """{"spec": {"extra": "y"}}""", MergePatch);
        var (another, _) = await server.SendAsync(HttpMethod.Post, notes, $$$"""{"apiVersion": "example.com/v1", "kind": "strict{{{kind}}}", "metadata": {"name": "two"}, "spec": {"text": "a", "extra": "x"}}""");

        Assert.Equal((others, others, 422, mended), (beside, status, itself, good));
        Assert.Equal(kind == "transition" ? 201 : 422, another);
    }

    /// <summary>Whoever watches asks again, and is shown what the definition knows then.</summary>
    [Fact]
    public async Task Watch_OverAChangeOfTheDefinition_EndsAndGoesOnAsItIsNow()
    {
        await DefineAsync("watched", isRich: false);
        var notes = Notes("watched");
        using var first = await WatchAsync("");
        await CreateAsync("poor");
        var poor = await ReadAsync(first);

        await DefineAsync("watched", isRich: true);
        await CreateAsync("rich");
        var end = await first.ReadLineAsync(TestContext.Current.CancellationToken);
        using var second = await WatchAsync($"&resourceVersion={poor!["metadata"]!["resourceVersion"]}");
        var rich = await ReadAsync(second);

        Assert.Equal("a", (string?)poor["spec"]!["text"]);
        Assert.Null(poor["spec"]!["extra"]);
        Assert.Null(end);
        Assert.Equal(("a", "x"), ((string?)rich!["spec"]!["text"], (string?)rich["spec"]!["extra"]));

        async Task<StreamReader> WatchAsync(string query) => new(await server.Http.GetStreamAsync($"{notes}?watch=true{query}", TestContext.Current.CancellationToken));

        static async Task<JsonNode?> ReadAsync(StreamReader stream) => JsonNode.Parse((await stream.ReadLineAsync(TestContext.Current.CancellationToken))!)!["object"];

        Task CreateAsync(string name) => server.SendAsync(HttpMethod.Post, notes, $$$"""{"apiVersion": "example.com/v1", "kind": "watched", "metadata": {"name": "{{{name}}}"}, "spec": {"text": "a", "extra": "x"}}""");
    }

    [Fact]
    public async Task Watch_OfADefinitionThatGoes_TellsWhatWentWithIt()
    {
        await DefineAsync("doomed", isRich: false);
        var (_, made) = await server.SendAsync(HttpMethod.Post, Notes("doomed"), """{"apiVersion": "example.com/v1", "kind": "doomed", "metadata": {"name": "one"}, "spec": {"text": "a"}}""");
        using var stream = new StreamReader(await server.Http.GetStreamAsync($"{Notes("doomed")}?watch=true&resourceVersion={made["metadata"]!["resourceVersion"]}", TestContext.Current.CancellationToken));

        await server.SendAsync(HttpMethod.Delete, $"{Definitions}/doomeds.example.com");
        var lines = (await stream.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("DELETED", (string?)JsonNode.Parse(lines[^1])!["type"]);
    }

    [Fact]
    public async Task Restart_WithAnObjectOfARicherDefinition_StillHidesAndKeepsTheFields()
    {
        var notes = await RolledBackAsync("restarted");

        await server.RestartAsync();

        Assert.Equal("""{"text":"a"}""", (await server.SendAsync(HttpMethod.Get, $"{notes}/one")).Body["spec"]!.ToJsonString());
        await DefineAsync("restarted", isRich: true);
        Assert.Equal("""{"text":"a","extra":"x"}""", (await server.SendAsync(HttpMethod.Get, $"{notes}/one")).Body["spec"]!.ToJsonString());
    }

    /// <summary>An object with every field under the richer definition, which is then rolled back. Returns the path of its kind.</summary>
    private async Task<string> RolledBackAsync(string kind)
    {
        var notes = Notes(kind);
        await DefineAsync(kind, isRich: true);
        foreach (var (subresource, field, values) in new[] { ("", "spec", """{"text": "a", "extra": "x"}"""), ("/status", "status", """{"phase": "Running", "detail": "d"}""") })
        {
            var change = Change(kind);
            change[field] = JsonNode.Parse(values);
            var (code, body) = await server.SendAsync(HttpMethod.Patch, $"{notes}/one{subresource}?fieldManager=first", change.ToJsonString(), ApplyPatch);
            Assert.True(code is 200 or 201, body.ToJsonString());
        }

        await DefineAsync(kind, isRich: false);
        return notes;
    }

    private async Task DefineAsync(string kind, bool isRich, string preset = "")
    {
        string Field(string name, string rest = "") => isRich ? $$""", "{{name}}": { {{rest}} "type": "string"}""" : "";
        var (code, body) = await server.SendAsync(HttpMethod.Patch, $"{Definitions}/{kind}s.example.com?fieldManager=release&force=true", $$$"""
            {
              "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "{{{kind}}}s.example.com"},
              "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"plural": "{{{kind}}}s", "kind": "{{{kind}}}"},
                "versions": [{
                  "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                  "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": {"type": "object", "properties": {"text": {"type": "string"}{{{Field("extra", preset)}}} } },
                    "status": {"type": "object", "properties": {"phase": {"type": "string"}{{{Field("detail")}}} } }
                  } } }
                }]
              }
            }
            """, ApplyPatch);
        Assert.True(code is 200 or 201, body.ToJsonString());
    }

    private static JsonObject Change(string kind) => new() { ["apiVersion"] = "example.com/v1", ["kind"] = kind, ["metadata"] = new JsonObject { ["name"] = "one" } };

    private static string Notes(string kind) => $"/apis/example.com/v1/namespaces/default/{kind}s";
}
