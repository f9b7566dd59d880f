using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Phi.Kubernetes;
using Phi.Operator.Leader;
using Phi.Operator.Tests.Cluster;

namespace Phi.Operator.Tests;

/// <summary>One leader at a time, on a lease of a real API server and a clock that the test moves.</summary>
public sealed class LeaderElectorTests(TestCluster cluster) : IClassFixture<TestCluster>
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<Replica> _replicas = [];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_LeaderKilled_AnotherLeadsWhenTheLeaseIsOver()
    {
        await using var first = Start("killed-a", "killed", releases: false);
        await UntilAsync(() => first.Leads);
        await using var second = Start("killed-b", "killed");
        await UntilAsync(() => second.Elector.Holder == "killed-a");

        await first.KillAsync();
        var killed = _time.GetUtcNow();
        await UntilAsync(() => second.Leads);

        // The last renewal was at most a retry period before the end.
        Assert.InRange(_time.GetUtcNow() - killed, TimeSpan.FromSeconds(12), TimeSpan.FromSeconds(25));
    }

    [Fact]
    public async Task RunAsync_LeaderStopped_AnotherLeadsAtOnce()
    {
        await using var first = Start("stopped-a", "stopped");
        await UntilAsync(() => first.Leads);
        await using var second = Start("stopped-b", "stopped");
        await UntilAsync(() => second.Elector.Holder == "stopped-a");

        await first.KillAsync();
        var stopped = _time.GetUtcNow();
        await UntilAsync(() => second.Leads);

        Assert.InRange(_time.GetUtcNow() - stopped, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task RunAsync_LeaderCutOff_StopsAndWritesNothingBeforeAnotherLeads()
    {
        await using var first = Start("cut-a", "cut");
        await UntilAsync(() => first.Leads);
        await using var second = Start("cut-b", "cut");
        await UntilAsync(() => second.Elector.Holder == "cut-a");

        first.Gate.IsShut = true;
        var cut = _time.GetUtcNow();
        await UntilAsync(() => !first.Leads);
        Assert.InRange(_time.GetUtcNow() - cut, TimeSpan.Zero, TimeSpan.FromSeconds(10.5));
        Assert.False(second.Leads);
        first.Gate.IsShut = false;
        var refused = await Assert.ThrowsAsync<HttpRequestException>(first.WriteAsync);
        Assert.Contains("no longer leads", refused.Message, StringComparison.Ordinal);

        first.Gate.IsShut = true;
        await UntilAsync(() => second.Leads);
        await second.WriteAsync();
        first.Gate.IsShut = false;
        await UntilAsync(() => first.Elector.Holder == "cut-b");
        Assert.False(first.Leads);
    }

    [Fact]
    public async Task RunAsync_SameIdentityComesBack_LeadsWithoutWaiting()
    {
        await using (var first = Start("same", "same", releases: false))
        {
            await UntilAsync(() => first.Leads);
        }

        var ended = _time.GetUtcNow();
        await using var second = Start("same", "same");
        await UntilAsync(() => second.Leads);

        Assert.InRange(_time.GetUtcNow() - ended, TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }

    private Replica Start(string identity, string lease, bool releases = true)
    {
        var replica = new Replica(cluster.Kubeconfig, new LeaseOptions { Namespace = "kube-system", Name = lease, Identity = identity, ReleasesOnStop = releases }, _time);
        _replicas.Add(replica);
        return replica;
    }

    /// <summary>Moves the clock on, but never while a request is on its way: how fast the machine is must not matter.</summary>
    private async Task UntilAsync(Func<bool> isReached)
    {
        for (var quiet = 0; !isReached();)
        {
            quiet = _replicas.TrueForAll(replica => replica.Gate.IsIdle) ? quiet + 1 : 0;
            if (quiet > 3)
            {
                _time.Advance(TimeSpan.FromMilliseconds(250));
                quiet = 0;
            }

            await Task.Delay(1, Ct);
        }
    }

    private sealed class Replica : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        private readonly KubernetesConnection _plain;
        private readonly KubernetesConnection _fenced;
        private readonly string _name;
        private readonly Task _loop;

        public Replica(string kubeconfig, LeaseOptions options, TimeProvider time)
        {
            _name = options.Identity;
            var leadership = new Leadership(time);
            _plain = KubernetesConnection.Open(kubeconfig, "test", Gate);
            _fenced = KubernetesConnection.Open(kubeconfig, "test", new FenceHandler(leadership));
            Elector = new LeaderElector(_plain, options, leadership, time, NullLogger.Instance);
            _loop = Elector.RunAsync(async term =>
            {
                Leads = true;
                await Task.Delay(Timeout.Infinite, term).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                Leads = false;
            }, _stop.Token);
        }

        public GateHandler Gate { get; } = new();

        public LeaderElector Elector { get; }

        public bool Leads { get; private set; }

        public Task<V1ConfigMap> WriteAsync() => _fenced.ConfigMaps().ApplyAsync("default", _name, new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = _name } }, "test", null, Ct);

        public async Task KillAsync()
        {
            await _stop.CancelAsync();
            await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        public async ValueTask DisposeAsync()
        {
            await KillAsync();
            _plain.Dispose();
            _fenced.Dispose();
            _stop.Dispose();
        }
    }
}
