using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Phi.Operator.Metrics;
using Phi.Telemetry.Retention;
using Phi.Telemetry.Store;
using Prometheus;

namespace Phi.Operator.Retention;

/// <summary>Removes from the telemetry store, once a day, runs whose job is gone and audit entries, when they are older than a limit.</summary>
/// <param name="jobs">Lists the uids of all jobs that exist.</param>
internal sealed partial class TelemetrySweeper(TelemetryStore store, TimeSpan limit, Func<CancellationToken, Task<IReadOnlySet<string>>> jobs, OperatorMetrics metrics, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromDays(1);
    private readonly Counter _removed = metrics.Factory.CreateCounter("phi_telemetry_runs_removed_total", "Runs removed from the telemetry store because they were older than its retention.");

    /// <summary>Sweeps, unless the last sweep was completed less than a day ago, by whichever replica.</summary>
    /// <returns>Whether it was due.</returns>
    public async Task<bool> SweepIfDueAsync(CancellationToken ct)
    {
        var now = time.GetUtcNow();
        if (await store.Retention.LastSweepAsync(ct) is { } last && now - last < Period)
        {
            return false;
        }

        await SweepAsync(now, ct);
        await store.Retention.MarkSweptAsync(now, ct);
        return true;
    }

    private async Task SweepAsync(DateTimeOffset now, CancellationToken ct)
    {
        // First the runs, then the jobs: a job that is created in between has a run that is not looked at.
        var idle = await store.Retention.IdleRunsAsync(now - limit, ct);
        var existing = idle.Count == 0 ? new HashSet<string>() : await jobs(ct);
        var activities = ImmutableArray.CreateBuilder<RunActivity>();
        foreach (var run in idle.Where(run => !existing.Contains(run.Run)))
        {
            activities.Add(await store.Retention.ActivityAsync(run, ct));
        }

        var decisions = RunRetention.Decide(new RetentionSnapshot { Runs = activities.ToImmutable(), Jobs = existing, Limit = limit, Now = now });
        foreach (var decision in decisions.Where(decision => decision.IsRemoved))
        {
            var rows = await CountAsync(store.Retention.RemoveAsync(decision.Run.Run, ct));
            _removed.Inc();
            LogRemoved(logger, decision.Run.Run, decision.Run.Namespace, decision.Run.Job, rows, decision.Message);
        }

        if (await CountAsync(store.Retention.RemoveAuditsAsync(now - limit, ct)) is > 0 and var audits)
        {
            LogAuditsRemoved(logger, audits, now - limit);
        }
    }

    private static async Task<long> CountAsync(IAsyncEnumerable<long> transactions)
    {
        var rows = 0L;
        await foreach (var removed in transactions)
        {
            rows += removed;
        }

        return rows;
    }

    [LoggerMessage(1, LogLevel.Information, "removed run {Run} of {Namespace}/{Job} from the telemetry store ({Rows} rows): {Why}")]
    private static partial void LogRemoved(ILogger logger, string run, string @namespace, string job, long rows, string why);

    [LoggerMessage(2, LogLevel.Information, "removed {Count} audit entries of before {Time}")]
    private static partial void LogAuditsRemoved(ILogger logger, long count, DateTimeOffset time);
}
