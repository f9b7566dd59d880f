using System.Text;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Operator.Metrics;

namespace Phi.Operator.Tests;

/// <summary>What is counted, and that its labels stay few.</summary>
public sealed class OperatorMetricsTests
{
    private static readonly DateTimeOffset Created = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly OperatorMetrics _metrics = new();

    [Fact]
    public async Task StatusWritten_OverAJobsLife_CountsEachTransitionOnce()
    {
        Write(null, new() { Phase = TrainingPhase.Pending, Attempt = 1 }, "Created", 0);
        Write(new() { Phase = TrainingPhase.Pending, Attempt = 1 }, new() { Phase = TrainingPhase.Starting, Attempt = 1 }, "Placed", 3);
        Write(new() { Phase = TrainingPhase.Starting, Attempt = 1 }, new() { Phase = TrainingPhase.Running, Attempt = 1 }, "Training", 5);
        Write(new() { Phase = TrainingPhase.Running, Attempt = 1 }, new() { Phase = TrainingPhase.Restarting, Attempt = 2, Restarts = 1, LastRestartTime = Created.AddSeconds(60) }, "RankFailed", 60);
        Write(new() { Phase = TrainingPhase.Restarting, Attempt = 2, Restarts = 1 }, new() { Phase = TrainingPhase.Starting, Attempt = 2, Restarts = 1, LastRestartTime = Created.AddSeconds(60) }, "Placed", 61);
        Write(new() { Phase = TrainingPhase.Starting, Attempt = 2, Restarts = 1 }, new() { Phase = TrainingPhase.Running, Attempt = 2, Restarts = 1, LastRestartTime = Created.AddSeconds(60) }, "Training", 68);
        Write(new() { Phase = TrainingPhase.Running, Attempt = 2, Restarts = 1 }, new() { Phase = TrainingPhase.Succeeded, Attempt = 2, Restarts = 1 }, "Completed", 90);

        var text = await TextAsync();
        Assert.Contains("phi_attempts_total 2\n", text, StringComparison.Ordinal);
        Assert.Contains("phi_restarts_total{charge=\"charged\",cause=\"RankFailed\"} 1\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("charge=\"free\"", text, StringComparison.Ordinal);
        Assert.Contains("phi_gangs_placed_total 2\n", text, StringComparison.Ordinal);
        Assert.Contains("phi_gang_placement_seconds_sum 4\n", text, StringComparison.Ordinal);
        Assert.Contains("phi_recovery_seconds_sum 8\n", text, StringComparison.Ordinal);
        Assert.Contains("phi_jobs_finished_total{phase=\"Succeeded\"} 1\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconciled_WithEverNewReasons_KeepsTheLabelsFew()
    {
        for (var i = 0; i < 1000; i++)
        {
            _metrics.Reconciled("jobs", isSuccess: true, $"Reason{i}", TimeSpan.FromMilliseconds(1));
        }

        var lines = (await TextAsync()).Split('\n').Where(line => line.StartsWith("phi_reconciles_total{", StringComparison.Ordinal)).ToList();
        Assert.Equal(41, lines.Count);
        Assert.Contains("phi_reconciles_total{controller=\"jobs\",result=\"success\",reason=\"Other\"} 960", lines);
    }

    [Theory]
    [InlineData("GET", "/api/v1/pods?watch=true&resourceVersion=1", null, "watch", "pods")]
    [InlineData("GET", "/api/v1/namespaces/default/pods?limit=500", null, "list", "pods")]
    [InlineData("GET", "/api/v1/nodes/node-0", null, "get", "nodes")]
    [InlineData("GET", "/api/v1/namespaces/default", null, "get", "namespaces")]
    [InlineData("PATCH", "/apis/phi-orchestrator.io/v1alpha1/namespaces/default/trainingjobs/secret-name/status", "application/apply-patch+yaml", "apply", "trainingjobs/status")]
    [InlineData("PATCH", "/apis/coordination.k8s.io/v1/namespaces/x/leases/phi-operator", "application/merge-patch+json", "patch", "leases")]
    [InlineData("POST", "/api/v1/namespaces/default/events", "application/json", "create", "events")]
    [InlineData("DELETE", "/api/v1/namespaces/default/pods/a", "application/json", "delete", "pods")]
    public void Describe_ARequest_NamesVerbAndResourceAlone(string method, string path, string? contentType, string verb, string resource)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri("https://server" + path));
        if (contentType is not null)
        {
            request.Content = new StringContent("{}", Encoding.UTF8);
            request.Content.Headers.ContentType = new(contentType);
        }

        Assert.Equal((verb, resource), ApiMetricsHandler.Describe(request));
    }

    private void Write(TrainingJobStatus? before, TrainingJobStatus after, string reason, int second) =>
        _metrics.StatusWritten(new TrainingJob { Metadata = new ObjectMeta { CreationTimestamp = Created }, Status = before }, after, reason, Created.AddSeconds(second));

    private async Task<string> TextAsync()
    {
        using var stream = new MemoryStream();
        await _metrics.Registry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
