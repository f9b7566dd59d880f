using System.Data.Common;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;
using Phi.Operator.Controllers;
using Phi.Operator.Metrics;
using Phi.Telemetry.Store;

namespace Phi.Operator.Retention;

/// <summary>Looks whether the telemetry store is to be swept soon after it comes to lead, and then once an hour: so a sweep that failed is tried again.</summary>
/// <param name="limit">0: everything is kept.</param>
internal sealed partial class RetentionController(KubernetesConnection connection, NamespaceScope scope, TelemetryStore store, TimeSpan limit, OperatorMetrics metrics, TimeProvider time, ILogger logger) : IController
{
    /// <summary>What a new leader has to do first comes first.</summary>
    private static readonly TimeSpan Delay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private readonly TelemetrySweeper _sweeper = new(store, limit, ct => JobsAsync(connection, scope, ct), metrics, time, logger);

    public string Name => "retention";

    public async Task RunAsync(CancellationToken ct)
    {
        if (limit <= TimeSpan.Zero)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
            return;
        }

        await Periodic.RunAsync(Name, Delay, Interval, SweepAsync, time, ct);
    }

    private async Task SweepAsync(CancellationToken ct)
    {
        try
        {
            await _sweeper.SweepIfDueAsync(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The next leader goes on.
        }
        catch (Exception e) when (e is DbException or InvalidOperationException { InnerException: DbException } or IOException or TimeoutException or HttpRequestException or KubernetesApiException or OperationCanceledException)
        {
            LogFailed(logger, Interval, e.Message);
        }
    }

    /// <summary>As the API server has them now: what an informer has not shown yet must not count as gone.</summary>
    private static async Task<IReadOnlySet<string>> JobsAsync(KubernetesConnection connection, NamespaceScope scope, CancellationToken ct) =>
        (await scope.ListAsync(connection.TrainingJobs(), job => (string?)job["metadata"]?["uid"], ct)).OfType<string>().ToHashSet(StringComparer.Ordinal);

    [LoggerMessage(3, LogLevel.Warning, "the telemetry store could not be swept and is tried again in {Interval}: {Problem}")]
    private static partial void LogFailed(ILogger logger, TimeSpan interval, string problem);
}
