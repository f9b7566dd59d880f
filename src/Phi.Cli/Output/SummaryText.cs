using System.Globalization;
using Phi.Api.TrainingJobs;
using Phi.Cli.Jobs;

namespace Phi.Cli.Output;

/// <summary>The summary for people.</summary>
public static class SummaryText
{
    public static void Write(RunSummary summary, TrainingJob job, TextWriter to)
    {
        var invariant = CultureInfo.InvariantCulture;
        Row("state", summary.State);
        Row("steps", string.Create(invariant, $"{summary.Steps}"));
        Row("first loss", summary.FirstLoss?.ToString("0.0000", invariant));
        Row("final loss", summary.FinalLoss?.ToString("0.0000", invariant));
        Row("tokens/s", summary.TokensPerSecond?.ToString("0", invariant));
        Row("attempts", string.Create(invariant, $"{summary.Attempts}"));
        Row("checkpoints", summary.CheckpointStep is { } step ? string.Create(invariant, $"{job.Status?.Checkpoint?.Count}, the newest of step {step}: {job.Status?.Checkpoint?.Uri}") : "none");
        Row("goodput", summary.Goodput?.ToString("P1", invariant));
        Row("dashboard", summary.DashboardUrl);

        void Row(string name, string? value) => to.WriteLine($"{name + ":",-13}{value ?? "-"}");
    }
}
