using System.Net;
using Microsoft.Extensions.Time.Testing;
using Phi.Operator.Health;
using Phi.Operator.Metrics;

namespace Phi.Operator.Tests;

/// <summary>What a kubelet is told.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Healthz_WithAStuckLoop_FailsAndNamesIt()
    {
        var time = new FakeTimeProvider();
        var pulse = new Pulse("job worker 0", TimeSpan.FromMinutes(10), time);
        await using var server = await HealthServer.StartAsync(
            IPAddress.Loopback, 0, new OperatorMetrics(), () => pulse.IsStuck ? [pulse.Name] : [], () => ["the cache of pods"], TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = server.Address };

        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(http, "/healthz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "not ready: the cache of pods\n"), await GetAsync(http, "/readyz"));
        pulse.Beat();
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "stuck: job worker 0\n"), await GetAsync(http, "/healthz"));
        pulse.Rest();
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync(http, "/healthz"));
    }

    [Fact]
    public async Task Metrics_OfAnOperator_HaveItsProcess()
    {
        await using var server = await HealthServer.StartAsync(IPAddress.Loopback, 0, new OperatorMetrics(), () => [], () => [], TestContext.Current.CancellationToken);
        using var http = new HttpClient { BaseAddress = server.Address };

        var (code, text) = await GetAsync(http, "/metrics");

        Assert.Equal(HttpStatusCode.OK, code);
        Assert.Contains("process_cpu_seconds_total", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE phi_api_request_duration_seconds histogram", text, StringComparison.Ordinal);
    }

    private static async Task<(HttpStatusCode Code, string Text)> GetAsync(HttpClient http, string path)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
