using Phi.Api.TrainingJobs;

namespace Phi.Cli.Jobs;

/// <summary>How a run ended; <c>--output json</c> prints this as one object.</summary>
public sealed record RunSummary
{
    public required string State { get; init; }
    public required long Steps { get; init; }
    public double? FirstLoss { get; init; }
    public double? FinalLoss { get; init; }
    public double? TokensPerSecond { get; init; }
    public required int Attempts { get; init; }
    public long? CheckpointStep { get; init; }
    public double? Goodput { get; init; }
    public required string DashboardUrl { get; init; }

    public static RunSummary From(TrainingJob job, string dashboardUrl) => new()
    {
        State = job.Status?.Phase ?? TrainingPhase.Pending,
        Steps = job.Status?.Progress?.Step ?? 0,
        FirstLoss = job.Status?.Progress?.FirstLoss,
        FinalLoss = job.Status?.Progress?.Loss,
        TokensPerSecond = job.Status?.Progress?.TokensPerSecond,
        Attempts = job.Status?.Attempt ?? 0,
        CheckpointStep = job.Status?.Checkpoint?.Step,
        Goodput = job.Status?.Goodput?.Ratio,
        DashboardUrl = dashboardUrl,
    };
}
