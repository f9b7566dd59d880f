using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Reconcile.Queues;

namespace Phi.Cli.Queues;

/// <summary>Why a job is in the state that it is in.</summary>
internal sealed record WhyReport
{
    /// <summary>NAMESPACE/NAME.</summary>
    public required string Job { get; init; }

    /// <summary>As in the job's phase.</summary>
    public required string State { get; init; }
    public string? Queue { get; init; }

    /// <summary>From 1; null: it does not wait in a queue.</summary>
    public int? Position { get; init; }
    public required string Reason { get; init; }
    public required string Message { get; init; }
    public string? WaitsFor { get; init; }

    /// <summary>Of its queue, and of the others of the cohort.</summary>
    public required IReadOnlyList<QueueUsage> Usage { get; init; }

    /// <summary>How its last attempt ended; null: none has.</summary>
    public string? LastInterruption { get; init; }

    public static WhyReport Of(TrainingJob job, QueueState state)
    {
        var (phase, queue) = (job.Status?.Phase ?? TrainingPhase.Pending, job.Spec.Queue);
        var queued = InitializeSource.IsAwaited(job) ? null : QueueReader.Job(job, state.Priorities);
        var verdict = queued is null ? null : state.Decision.Explain(queued);
        var grant = queued is null ? null : state.Decision.Grants.FirstOrDefault(one => one.Job.Uid == queued.Uid);
        var (reason, message) = verdict is not null ? (verdict.Reason, verdict.Message)
            : grant is not null ? ("QuotaFree", $"the operator is about to admit it: {grant.Message}")
            : Words(job, phase);
        return new WhyReport
        {
            Job = $"{job.Metadata.Namespace}/{job.Metadata.Name}",
            State = phase,
            Queue = queue,
            Position = verdict?.Position,
            Reason = reason,
            Message = message,
            WaitsFor = verdict?.WaitsFor,
            Usage = string.IsNullOrEmpty(queue) ? [] : state.UsageAround(queue),
            LastInterruption = Interruption(job),
        };
    }

    /// <summary>The condition that says most about a job in that phase.</summary>
    private static (string Reason, string Message) Words(TrainingJob job, string phase)
    {
        string[] order = phase switch
        {
            TrainingPhase.Succeeded or TrainingPhase.Failed => [TrainingConditions.Finished],
            TrainingPhase.Starting or TrainingPhase.Running => [TrainingConditions.Evicted, TrainingConditions.Training, TrainingConditions.Admitted],
            _ when InitializeSource.IsAwaited(job) => [TrainingConditions.Initialized],
            _ => [TrainingConditions.Evicted, TrainingConditions.Admitted, TrainingConditions.QuotaReserved, TrainingConditions.Training],
        };
        var said = order.Select(type => QueueReader.Condition(job, type)).FirstOrDefault(condition => condition is not null && (condition.Type != TrainingConditions.Evicted || condition.Status == "True"));
        return said is null ? (phase, job.Status is null ? "the operator has not taken it on yet" : $"the job is {phase}") : (said.Reason, said.Message);
    }

    private static string? Interruption(TrainingJob job) => job.Status?.Interruptions is [.., var last]
        ? $"attempt {last.Attempt}: {last.Reason}: {last.Message}"
        : QueueReader.Condition(job, TrainingConditions.Requeued) is { Status: "True" } requeued ? $"{requeued.Reason}: {requeued.Message}" : null;
}
