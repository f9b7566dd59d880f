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

    /// <summary>Takes in what a pod's sidecar read from its program's file.</summary>
    public void Add(EventBatch batch)
    {
        foreach (var newest in batch.Steps.GroupBy(step => step.Rank).Select(steps => steps.MaxBy(step => step.Step)!))
        {
            Of(batch.JobUid)[newest.Rank] = new Report(batch.Attempt, newest.Step, time.GetUtcNow());
        }
    }

    /// <summary>The report as an event; a program that does not say how long its steps take has them timed by its reports.</summary>
    public StepEvent Add(ProgressAddress from, ContainerProgress progress)
    {
        var now = time.GetUtcNow();
        var replicas = Of(from.JobUid);
        var seconds = replicas.TryGetValue(from.Replica, out var last) && last.Attempt == from.Attempt && progress.Step > last.Step ? (now - last.Time).TotalSeconds / (progress.Step - last.Step) : 0;
        replicas[from.Replica] = new Report(from.Attempt, progress.Step, now);
        var all = progress.Numbers();
        all.TryAdd("step_seconds", seconds);
        return new StepEvent { Rank = from.Replica, Step = progress.Step, Time = now, Metrics = all };
    }

    private ConcurrentDictionary<int, Report> Of(string jobUid) => _jobs.GetOrAdd(jobUid, _ => new ConcurrentDictionary<int, Report>());

    private sealed record Report(int Attempt, long Step, DateTimeOffset Time);
}
