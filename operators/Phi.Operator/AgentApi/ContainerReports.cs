using System.Collections.Concurrent;
using Phi.Api.Agent;

namespace Phi.Operator.AgentApi;

/// <summary>The newest progress of each replica of the container jobs, for hangs and for the time between reports. In memory alone.</summary>
internal sealed class ContainerReports(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<int, Report>> _jobs = new(StringComparer.Ordinal);

    /// <summary>When any replica of the attempt last reported; null if none has.</summary>
    public DateTimeOffset? Newest(string jobUid, int attempt) =>
        _jobs.TryGetValue(jobUid, out var replicas) ? replicas.Values.Where(report => report.Attempt == attempt).Select(report => (DateTimeOffset?)report.Time).Max() : null;

    public void Forget(string jobUid) => _jobs.TryRemove(jobUid, out _);

    /// <summary>The report as an event; a program that does not say how long its steps take has them timed by its reports.</summary>
    public StepEvent Add(ProgressAddress from, ContainerProgress progress, IReadOnlyDictionary<string, double> metrics)
    {
        var now = time.GetUtcNow();
        var replicas = _jobs.GetOrAdd(from.JobUid, _ => new ConcurrentDictionary<int, Report>());
        var seconds = replicas.TryGetValue(from.Replica, out var last) && last.Attempt == from.Attempt && progress.Step > last.Step ? (now - last.Time).TotalSeconds / (progress.Step - last.Step) : 0;
        replicas[from.Replica] = new Report(from.Attempt, progress.Step, now);
        var all = new Dictionary<string, double>(metrics);
        all.TryAdd("step_seconds", seconds);
        if (progress.Loss is { } loss)
        {
            all["loss"] = loss;
        }

        if (progress.Tokens is { } tokens)
        {
            all["tokens"] = tokens;
        }

        return new StepEvent { Rank = from.Replica, Step = progress.Step, Time = now, Metrics = all };
    }

    private sealed record Report(int Attempt, long Step, DateTimeOffset Time);
}
