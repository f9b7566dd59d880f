using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Kubernetes;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>Lists and watches whose server, or whose network, misbehaves.</summary>
public sealed class InformerTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_ChangesReplayed_AnnouncesEachOnceAndNeverGoesBack()
    {
        var seen = await FollowAsync(Fault.WatchReplayed, "replayed");

        Assert.Equal(["created 0", "changed 1", "changed 2", "deleted 2", "created 9"], seen);
    }

    [Theory]
    [InlineData(Fault.WatchCut)]
    [InlineData(Fault.WatchGone)]
    [InlineData(Fault.AnswerLost)]
    [InlineData(Fault.Gone)]
    public async Task RunAsync_WatchBroken_EndsUpWithTheNewestState(Fault fault)
    {
        var seen = await FollowAsync(fault, fault.ToString().ToLowerInvariant());

        Assert.Equal("created 9", seen[^1]);
    }

    [Fact]
    public async Task ListAsync_KindThatTheServerDoesNotKnow_NamesItAndTheRemedy()
    {
        var widgets = new ResourceClient<V1ConfigMap>(cluster.Connection, "example.com", "v1", "widgets");

        var refused = await Assert.ThrowsAsync<KubernetesApiException>(() => widgets.ListAsync(null, null, Ct));

        Assert.True(refused.IsNotFound);
        Assert.Equal("the API server does not serve widgets of example.com/v1; apply the CustomResourceDefinition that defines them", refused.Message);
    }

    [Fact]
    public async Task RunAsync_WatchSilentForLongerThanTheServerLetsIt_IsTakenUpAnew()
    {
        var time = new FakeTimeProvider();
        var server = new ScriptedServer();
        using var connection = KubernetesConnection.Open(cluster.Kubeconfig, "test", server);
        var informer = new Informer<V1ConfigMap>(connection.ConfigMaps(), "default", null, time, NullLogger.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var loop = informer.RunAsync((_, _, _) => { }, stop.Token);
        await ScriptedServer.UntilAsync(() => server.Watches == 1);

        time.Advance(TimeSpan.FromSeconds(331));
        await ScriptedServer.UntilAsync(() => server.Watches == 2, () => time.Advance(TimeSpan.FromSeconds(1)));

        Assert.Equal(1, informer.Restarts);
        Assert.False(informer.IsStuck);
        time.Advance(TimeSpan.FromMinutes(10));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop);
        Assert.True(informer.IsStuck);
    }

    [Fact]
    public async Task ListAsync_ContinueExpiredBetweenPages_ListsAgainInOnePiece()
    {
        var server = new ScriptedServer();
        using var connection = KubernetesConnection.Open(cluster.Kubeconfig, "test", server);

        var (items, version) = await connection.ConfigMaps().ListAsync("paged", null, Ct);

        Assert.Equal(["a", "b"], items.Select(item => (string)item["metadata"]!["name"]!));
        Assert.Equal("7", version);
    }

    [Fact]
    public async Task SendAsync_TooManyRequests_SaysHowLongToWait()
    {
        using var connection = KubernetesConnection.Open(cluster.Kubeconfig, "test", new FaultHandler(new FaultPlan("get configmaps any", Fault.TooManyRequests)));

        var refused = await Assert.ThrowsAsync<KubernetesApiException>(() => connection.ConfigMaps().GetAsync("default", "any", Ct));

        Assert.Equal(TimeSpan.FromSeconds(1), refused.RetryAfter);
    }

    /// <summary>What an informer, whose first watch is at fault, announces of a config map that is made, changed, deleted and made anew.</summary>
    private async Task<List<string>> FollowAsync(Fault fault, string name)
    {
        using var connection = KubernetesConnection.Open(cluster.Kubeconfig, "test", new FaultHandler(new FaultPlan($"watch configmaps test={name}", fault)));
        var informer = new Informer<V1ConfigMap>(connection.ConfigMaps(), "default", $"&labelSelector=test%3D{name}", TimeProvider.System, NullLogger.Instance);
        var seen = new ConcurrentQueue<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var loop = informer.RunAsync((_, old, now) => seen.Enqueue($"{(old is null ? "created" : now is null ? "deleted" : "changed")} {(now ?? old)!.Data["n"]}"), stop.Token);
        await informer.Synced;
        foreach (var n in new[] { "0", "1", "2" })
        {
            await ApplyAsync(name, n);
        }

        await cluster.Connection.ConfigMaps().DeleteAsync("default", name, null, null, Ct);
        await ApplyAsync(name, "9");
        while (informer.Get(new ResourceKey("default", name))?.Data["n"] != "9" || seen.LastOrDefault() != "created 9")
        {
            if (seen.LastOrDefault() == "changed 9")
            {
                // A list after the deletion shows the new one in the place of the old.
                return [.. seen, "created 9"];
            }

            await Task.Delay(10, Ct);
        }

        await stop.CancelAsync();
        await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return [.. seen];
    }

    private Task<V1ConfigMap> ApplyAsync(string name, string n) => cluster.Connection.ConfigMaps().ApplyAsync("default", name, new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["test"] = name } },
        ["data"] = new JsonObject { ["n"] = n },
    }, "test", null, Ct);

    /// <summary>A server whose watches say nothing, and whose pages expire.</summary>
    private sealed class ScriptedServer : DelegatingHandler
    {
        private int _watches;

        public int Watches => Volatile.Read(ref _watches);

        public static async Task UntilAsync(Func<bool> isReached, Action? meanwhile = null)
        {
            while (!isReached())
            {
                meanwhile?.Invoke();
                await Task.Delay(5, Ct);
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var query = request.RequestUri!.Query;
            if (query.Contains("watch=true", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _watches);
                return new HttpResponseMessage { Content = new StreamContent(new System.IO.Pipelines.Pipe().Reader.AsStream()) };
            }

            if (query.Contains("continue=", StringComparison.Ordinal))
            {
                return Json("""{"kind":"Status","reason":"Expired","message":"the provided continue parameter is too old","code":410}""", HttpStatusCode.Gone);
            }

            await Task.Yield();
            return !request.RequestUri.AbsolutePath.Contains("/paged/", StringComparison.Ordinal) ? Json(List(""))
                : query.Contains("limit=500", StringComparison.Ordinal) ? Json(List("""{"metadata":{"name":"a"}}""", "more"))
                : Json(List("""{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}"""));
        }

        private static string List(string items, string next = "") => $$$"""{"items":[{{{items}}}],"metadata":{"resourceVersion":"7","continue":"{{{next}}}"}}""";

        private static HttpResponseMessage Json(string text, HttpStatusCode code = HttpStatusCode.OK) => new(code) { Content = new StringContent(text, Encoding.UTF8, "application/json") };
    }
}
