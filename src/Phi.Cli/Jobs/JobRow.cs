using System.Text.Json.Nodes;
using Phi.Api.TrainingJobs;
using Phi.Cli.Resources;

namespace Phi.Cli.Jobs;

/// <summary>What a list shows of a job.</summary>
internal sealed record JobRow(JsonObject Value) : ResourceRow(Value)
{
    public string Phase => Text("status", "phase") ?? TrainingPhase.Pending;
    public double? Step => Number("status", "progress", "step");
    public double? TotalSteps => Number("status", "progress", "totalSteps");
    public double? Loss => Number("status", "progress", "loss");
    public double? TokensPerSecond => Number("status", "progress", "tokensPerSecond");
    public double? Goodput => Number("status", "goodput", "ratio");
    public double Restarts => (Number("status", "restarts") ?? 0) + (Number("status", "freeRestarts") ?? 0);
    public DateTimeOffset? Completed => Time("status", "completionTime");
    public DateTimeOffset? EstimatedCompletion => Time("status", "progress", "estimatedCompletion");
    public double? CheckpointStep => Number("status", "checkpoint", "step");
    public DateTimeOffset? CheckpointTime => Time("status", "checkpoint", "time");
}
