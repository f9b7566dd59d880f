using k8s.Models;
using Microsoft.AspNetCore.Components;
using Phi.Api.TrainingJobs;
using Phi.Dashboard.Actions;
using Phi.Dashboard.Components.Controls;
using Phi.Dashboard.Live;
using Phi.Kubernetes;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Evaluation;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;
using Phi.Telemetry.Story;

namespace Phi.Dashboard.Components.Pages;

/// <summary>One job: its curve, pods, checkpoints, communication and events.</summary>
public sealed partial class Job : LiveComponent
{
    /// <summary>Newest steps whose mean traffic is shown.</summary>
    private const int TrafficSteps = 20;
    private const int MostAudits = 50;
    private TrainingJob? _job;
    private TrainingJobSpec? _spec;
    private TrafficData? _traffic;
    private IReadOnlyList<ChartRun> _runs = [];
    private IReadOnlyList<string> _metrics = [];
    private IReadOnlyList<Recovery> _recoveries = [];
    private IReadOnlyList<V1Pod> _pods = [];
    private IReadOnlyList<string> _podNames = [];
    private IReadOnlyList<Corev1Event> _events = [];
    private IReadOnlyList<CheckpointRecord> _checkpoints = [];
    private (string? Uid, int? Count) _checkpointsRead;
    private IReadOnlyList<EvaluationRecord> _evaluations = [];
    private (string? Uid, int? Count, DateTimeOffset? Time) _evaluationsRead;
    private IReadOnlyList<AuditEntry> _audits = [];

    [Parameter]
    public required string Namespace { get; set; }

    [Parameter]
    public required string Name { get; set; }

    [Inject]
    private TelemetryStore Store { get; set; } = null!;

    [Inject]
    private JobActions Actions { get; set; } = null!;

    /// <summary>The curves of pass@1, one a suite: beside the loss, and by the same steps.</summary>
    private IEnumerable<string> Scores => _metrics.Where(metric => EvaluationMetric.Is(metric, 1));

    private bool HasEnded => _job?.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;

    private string? Reason => _job?.Status?.Conditions?.Where(condition => condition.Message.Length > 0).MaxBy(condition => condition.LastTransitionTime)?.Message;

    protected override bool Concerns(LiveChange change) => change == new LiveChange(LiveKind.Job, new ResourceKey(Namespace, Name));

    protected override async Task RefreshAsync(CancellationToken ct)
    {
        _job = Live.Job(Namespace, Name);
        if (_job is not null)
        {
            (_pods, _events) = (Live.PodsOf(_job), Live.EventsOf(_job));
            _podNames = [.. _pods.Where(pod => pod.Status?.Phase is "Running" or "Succeeded" or "Failed").Select(pod => pod.Metadata.Name)];
            _spec = TrainingJobDefaults.Apply(_job).Spec;
            _runs = [new ChartRun(_job.Metadata.Uid!, Name)];
            _metrics = await Store.MetricsAsync(_job.Metadata.Uid!, ct);
            await ReadCheckpointsAsync(_job, ct);
            await ReadEvaluationsAsync(_job, ct);
            _audits = [.. (await Store.AuditsAsync(Namespace, Name, MostAudits, ct)).Where(entry => entry.Kind == _job.Kind)];
            _recoveries = Recovery.Of(await Store.StoryAsync(_job.Metadata.Uid!, ct), _job.Status?.CompletionTime ?? Time.GetUtcNow());
            _traffic = await Store.TrafficAsync(_job.Metadata.Uid!, TrafficSteps, ct);
        }
    }

    /// <summary>There may be thousands, and a page is drawn twice a second: they are read when there is a new one.</summary>
    private async Task ReadCheckpointsAsync(TrainingJob job, CancellationToken ct)
    {
        var there = (job.Metadata.Uid, job.Status?.Checkpoint?.Count);
        if (there != _checkpointsRead)
        {
            _checkpoints = await Store.CheckpointsAsync(job.Metadata.Uid!, ct);
            _checkpointsRead = there;
        }
    }

    /// <summary>As of checkpoints there may be thousands.</summary>
    private async Task ReadEvaluationsAsync(TrainingJob job, CancellationToken ct)
    {
        var there = (job.Metadata.Uid, job.Status?.Checkpoint?.Count, job.Status?.Evaluation?.Time);
        if (there != _evaluationsRead)
        {
            _evaluations = await Store.EvaluationsAsync(job.Metadata.Uid!, ct);
            _evaluationsRead = there;
        }
    }
}
