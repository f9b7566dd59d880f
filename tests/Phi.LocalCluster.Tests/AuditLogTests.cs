using System.Text.Json.Nodes;

namespace Phi.LocalCluster.Tests;

/// <summary>A line of every request, as kube-apiserver writes them.</summary>
public sealed class AuditLogTests(TestServer server) : IClassFixture<TestServer>
{
    [Fact]
    public async Task Log_OfRequestsThatAreAnsweredAndRefused_SaysWhoWhatAndHow()
    {
        await server.SendAsync(HttpMethod.Post, "/api/v1/namespaces/default/secrets", """{"metadata": {"name": "hidden"}, "stringData": {"key": "not to be told"}}""");
        await server.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/secrets/hidden");
        await server.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/pods/none/log", token: "nobody's");
        await server.SendAsync(HttpMethod.Get, "/version");
        using (var watch = await server.Http.GetAsync("/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=1", TestContext.Current.CancellationToken))
        {
            await watch.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }

        await server.RestartAsync();
        var text = await File.ReadAllTextAsync(server.AuditLog, TestContext.Current.CancellationToken);

        Assert.DoesNotContain("not to be told", text, StringComparison.Ordinal);
        Assert.DoesNotContain("nobody's", text, StringComparison.Ordinal);
        var told = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.All(told, line => Assert.Equal(("Event", "audit.k8s.io/v1", "Metadata"), ((string?)line["kind"], (string?)line["apiVersion"], (string?)line["level"])));
        Assert.Contains("create secrets phi-admin 201 ResponseComplete", Lines("secrets"));
        Assert.Contains("get secrets phi-admin 200 ResponseComplete", Lines("secrets"));
        Assert.Equal(["watch configmaps phi-admin 200 ResponseStarted", "watch configmaps phi-admin 200 ResponseComplete"], Lines("configmaps"));
        Assert.Contains(told, line => (int)line["responseStatus"]!["code"]! == 401 && line["user"] is null);
        Assert.Contains(told, line => (string?)line["requestURI"] == "/version" && line["objectRef"] is null);

        IEnumerable<string> Lines(string resource) =>
            told.Where(line => (string?)line["objectRef"]?["resource"] == resource).Select(line => $"{line["verb"]} {resource} {line["user"]!["username"]} {line["responseStatus"]!["code"]} {line["stage"]}");
    }
}
