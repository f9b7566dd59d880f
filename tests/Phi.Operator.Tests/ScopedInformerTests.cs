using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Phi.Kubernetes;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>Namespaces that an operator looks after, and those that it leaves alone.</summary>
public sealed class ScopedInformerTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_OfTwoNamespaces_HasWhatTheyHaveAndNothingElse()
    {
        foreach (var name in new[] { "scope-a", "scope-b", "scope-c" })
        {
            await cluster.Connection.SendAsync(HttpMethod.Post, "/api/v1/namespaces", new System.Text.Json.Nodes.JsonObject { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = name } }, "application/json", Ct);
            await CreateAsync(name, "first");
        }

        var scope = NamespaceScope.Of(["scope-a", "scope-b", "scope-a"]);
        var informer = new ScopedInformer<V1ConfigMap>(scope, cluster.Connection.ConfigMaps(), null, TimeProvider.System, NullLogger.Instance);
        var seen = new BlockingCollection<ResourceKey>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = informer.RunAsync((key, _, _) => seen.Add(key), stop.Token);
        await informer.Synced;
        await CreateAsync("scope-c", "last");
        await CreateAsync("scope-b", "last");
        while (seen.Take(Ct) != new ResourceKey("scope-b", "last"))
        {
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        Assert.Equal(["scope-a/first", "scope-b/first", "scope-b/last"], informer.All.Where(map => map.Metadata.Name is "first" or "last").Select(map => $"{map.Metadata.NamespaceProperty}/{map.Metadata.Name}").Order(StringComparer.Ordinal));
        Assert.NotNull(informer.Get(new ResourceKey("scope-a", "first")));
        Assert.Null(informer.Get(new ResourceKey("scope-c", "first")));
        Assert.Equal(3, (await scope.ListAsync(cluster.Connection.ConfigMaps(), map => (string?)map["metadata"]!["name"], Ct)).Count(name => name is "first" or "last"));
    }

    [Fact]
    public void Of_NoName_IsEverywhere() => Assert.Equal([null], NamespaceScope.Of([]).Names);

    private async Task CreateAsync(string @namespace, string name) =>
        await cluster.Connection.ConfigMaps().CreateAsync(@namespace, new V1ConfigMap { ApiVersion = "v1", Kind = "ConfigMap", Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = @namespace } }, "test", Ct);
}
