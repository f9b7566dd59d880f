using Phi.Api.Agent;

namespace Phi.Telemetry.Tests;

/// <summary>Makes batches as agents send them.</summary>
internal static class Batches
{
    public static EventBatch Loss(string run, int attempt, long from, long to, Func<long, double> loss, int rank = 0) =>
        Of(run, attempt, Enumerable.Range(0, (int)(to - from + 1)).Select(i => Step(from + i, loss(from + i), rank)));

    public static EventBatch Of(string run, int attempt, IEnumerable<StepEvent> steps) => new() { Namespace = "default", Job = "job", JobUid = run, Attempt = attempt, Steps = [.. steps] };

    public static StepEvent Step(long step, double loss, int rank = 0) =>
        new() { Rank = rank, Step = step, Time = DateTimeOffset.UnixEpoch.AddSeconds(step), Metrics = new Dictionary<string, double> { ["loss"] = loss } };
}
