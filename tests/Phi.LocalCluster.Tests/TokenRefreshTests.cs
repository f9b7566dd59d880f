using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Phi.Kubernetes;
using Phi.LocalCluster.Nodes;

namespace Phi.LocalCluster.Tests;

/// <summary>Tokens in a pod's volume are renewed while the pod runs.</summary>
public sealed class TokenRefreshTests(TestServer server) : IClassFixture<TestServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RefreshAsync_FourFifthsOfTheLifeOver_WritesANewTokenThoughTheServerWasAway()
    {
        var away = new AwayHandler();
        using var connection = KubernetesConnection.Open(server.Kubeconfig, "node", away);
        var pod = await CreateAsync(connection);
        var (clock, options) = (new FakeTimeProvider(), new NodeAgentOptions { Kubeconfig = server.Kubeconfig, Name = "none", Slots = 1, StateDirectory = server.Folder });
        var folder = new PodFolder(Path.Combine(server.Folder, "pods"), pod.Metadata.Uid);
        var starter = new ContainerStarter(pod, "127.0.0.1", folder, new PodEnvironment(connection, options), new PodVolumes(connection, options), clock);
        await starter.PrepareAsync(Ct);
        string Token() => File.ReadAllText(Path.Combine(folder.Volume("identity"), "token"));
        var (first, problems) = (Token(), 0);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var refresh = starter.RefreshAsync(_ => Interlocked.Increment(ref problems), stop.Token);

        clock.Advance(TimeSpan.FromSeconds(0.8 * 3600 - 1));
        Assert.Equal(first, Token());
        away.IsAway = true;
        clock.Advance(TimeSpan.FromSeconds(1));
        await NodeFixture.UntilAsync(() => Task.FromResult(Volatile.Read(ref problems) == 1));
        Assert.Equal(first, Token());
        away.IsAway = false;

        // A try every ten seconds: long before the token ends there is another.
        var waited = TimeSpan.Zero;
        while (Token() == first)
        {
            Ct.ThrowIfCancellationRequested();
            if (waited < TimeSpan.FromSeconds(10))
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                waited += TimeSpan.FromSeconds(1);
            }

            await Task.Yield();
        }

        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => refresh);
        Assert.Equal("job-token", (string)JsonNode.Parse(Convert.FromBase64String(Padded(Token().Split('.')[1])))!["aud"]![0]!);
    }

    private static async Task<V1Pod> CreateAsync(KubernetesConnection connection) => await connection.Pods().ApplyAsync("default", "identity", JsonNode.Parse("""
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "identity", "namespace": "default"},
         "spec": {"restartPolicy": "Never", "automountServiceAccountToken": false,
                  "containers": [{"name": "main", "image": "none", "command": ["true"], "volumeMounts": [{"name": "identity", "mountPath": "/identity"}]}],
                  "volumes": [{"name": "identity", "projected": {"sources": [{"serviceAccountToken": {"audience": "job-token", "expirationSeconds": 3600, "path": "token"}}]}}]}}
        """)!.AsObject(), "test", null, Ct);

    private static string Padded(string text) => text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '=');

    private sealed class AwayHandler : DelegatingHandler
    {
        public volatile bool IsAway;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            IsAway ? Task.FromException<HttpResponseMessage>(new HttpRequestException("away")) : base.SendAsync(request, cancellationToken);
    }
}
