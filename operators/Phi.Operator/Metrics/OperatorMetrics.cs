using System.Globalization;
using Phi.Api.TrainingJobs;
using Prometheus;

namespace Phi.Operator.Metrics;

/// <summary>
/// Everything that the operator counts, in a registry of its own. Seconds and bytes; no label has a job's, pod's or node's name. What
/// stands for a change of the cluster is counted after its write succeeded. A controller makes its own metrics with <see cref="Factory"/>.
/// </summary>
internal sealed class OperatorMetrics
{
    private static readonly double[] RequestSeconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] WaitSeconds = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400];
    private readonly BoundedLabel _reasons = new();
    private readonly BoundedLabel _causes = new();
    private readonly Counter _reconciles;
    private readonly Histogram _reconcileSeconds;
    private readonly Counter _apiRequests;
    private readonly Histogram _apiSeconds;
    private readonly Counter _restarts;
    private readonly Counter _finished;
    private readonly Counter _eventsWritten;
    private readonly Counter _eventsDropped;

    public OperatorMetrics()
    {
        Factory = Prometheus.Metrics.WithCustomRegistry(Registry);
        DotNetStats.Register(Registry);
        _reconciles = Factory.CreateCounter("phi_reconciles_total", "Reconciles by controller, result (success, error) and reason of the decision or class of the error.", ["controller", "result", "reason"]);
        _reconcileSeconds = Factory.CreateHistogram("phi_reconcile_duration_seconds", "Time of one reconcile, its writes included.", ["controller", "result"], new HistogramConfiguration { Buckets = RequestSeconds });
        _apiRequests = Factory.CreateCounter("phi_api_requests_total", "Requests to the Kubernetes API; code is the status, or error for none.", ["verb", "resource", "code"]);
        _apiSeconds = Factory.CreateHistogram("phi_api_request_duration_seconds", "Time until the Kubernetes API answered; of a watch, until it began.", ["verb", "resource"], new HistogramConfiguration { Buckets = RequestSeconds });
        _restarts = Factory.CreateCounter("phi_restarts_total", "Attempts that ended and are followed by another, by charge (charged, free) and cause.", ["charge", "cause"]);
        _finished = Factory.CreateCounter("phi_jobs_finished_total", "Jobs that reached their end.", ["phase"]);
        _eventsWritten = Factory.CreateCounter("phi_events_written_total", "Kubernetes events written, by type; repeats that only raised a count included.", ["type"]);
        _eventsDropped = Factory.CreateCounter("phi_events_dropped_total", "Kubernetes events given up: the buffer was full, or the server refused them.", ["type"]);
        Attempts = Factory.CreateCounter("phi_attempts_total", "Attempts begun.");
        GangsPlaced = Factory.CreateCounter("phi_gangs_placed_total", "Gangs placed whole.");
        PlacementSeconds = Factory.CreateHistogram("phi_gang_placement_seconds", "From the creation of a job, or the end of its last attempt, until its gang was placed.", new HistogramConfiguration { Buckets = WaitSeconds });
        RecoverySeconds = Factory.CreateHistogram("phi_recovery_seconds", "From the end of an attempt until the next one trained.", new HistogramConfiguration { Buckets = WaitSeconds });
        Heartbeats = Factory.CreateCounter("phi_agent_heartbeats_total", "Heartbeats that this replica took in or handed on.");
        Steps = Factory.CreateCounter("phi_training_steps_total", "Steps that jobs completed, those done again included.");
        Tokens = Factory.CreateCounter("phi_training_tokens_total", "Tokens in those steps.");
        Checkpoints = Factory.CreateCounter("phi_checkpoint_commits_total", "Checkpoints committed.");
        CheckpointBytes = Factory.CreateCounter("phi_checkpoint_bytes_total", "Bytes of the committed checkpoints.");
        MissedCheckpoints = Factory.CreateCounter("phi_checkpoint_missed_total", "Steps that should have been saved and were not, by reason (StorageFailed, NoTime).", ["reason"]);
        SkippedCheckpoints = Factory.CreateCounter("phi_checkpoint_skipped_total", "Committed checkpoints that an attempt found damaged and did not continue from.");
    }

    public CollectorRegistry Registry { get; } = Prometheus.Metrics.NewCustomRegistry();

    /// <summary>Makes further metrics of the same registry, such as another controller's.</summary>
    public IMetricFactory Factory { get; }

    public Counter Attempts { get; }

    public Counter GangsPlaced { get; }

    public Histogram PlacementSeconds { get; }

    public Histogram RecoverySeconds { get; }

    public Counter Heartbeats { get; }

    public Counter Steps { get; }

    public Counter Tokens { get; }

    public Counter Checkpoints { get; }

    public Counter CheckpointBytes { get; }

    public Counter MissedCheckpoints { get; }

    public Counter SkippedCheckpoints { get; }

    public void Reconciled(string controller, bool isSuccess, string reason, TimeSpan duration)
    {
        var result = isSuccess ? "success" : "error";
        _reconciles.WithLabels(controller, result, _reasons.Of(reason)).Inc();
        _reconcileSeconds.WithLabels(controller, result).Observe(duration.TotalSeconds);
    }

    /// <param name="code">Null: there was no answer.</param>
    public void Requested(string verb, string resource, int? code, TimeSpan duration)
    {
        _apiRequests.WithLabels(verb, resource, code?.ToString(CultureInfo.InvariantCulture) ?? "error").Inc();
        _apiSeconds.WithLabels(verb, resource).Observe(duration.TotalSeconds);
    }

    public void EventWritten(bool isWarning) => _eventsWritten.WithLabels(EventType(isWarning)).Inc();

    public void EventDropped(bool isWarning) => _eventsDropped.WithLabels(EventType(isWarning)).Inc();

    /// <summary>Counts what a status write that succeeded changed.</summary>
    /// <param name="reason">The decision's, which is the cause of a restart.</param>
    public void StatusWritten(TrainingJob before, TrainingJobStatus after, string reason, DateTimeOffset now)
    {
        var old = before.Status ?? new TrainingJobStatus();
        Attempts.Inc(Math.Max(0, (after.Attempt ?? 0) - (old.Attempt ?? 0)));
        CountRestarts("charged", (after.Restarts ?? 0) - (old.Restarts ?? 0), reason);
        CountRestarts("free", (after.FreeRestarts ?? 0) - (old.FreeRestarts ?? 0), reason);
        if (after.Phase == old.Phase)
        {
            return;
        }

        switch (after.Phase)
        {
            case TrainingPhase.Starting:
                GangsPlaced.Inc();
                Observe(PlacementSeconds, after.LastRestartTime ?? before.Metadata.CreationTimestamp, now);
                break;
            case TrainingPhase.Running when after.LastRestartTime is not null:
                Observe(RecoverySeconds, after.LastRestartTime, now);
                break;
            case TrainingPhase.Succeeded or TrainingPhase.Failed:
                _finished.WithLabels(after.Phase).Inc();
                break;
        }
    }

    private void CountRestarts(string charge, int count, string cause)
    {
        if (count > 0)
        {
            _restarts.WithLabels(charge, _causes.Of(cause)).Inc(count);
        }
    }

    private static void Observe(Histogram histogram, DateTimeOffset? since, DateTimeOffset now)
    {
        if (since is { } start)
        {
            histogram.Observe(Math.Max(0, (now - start).TotalSeconds));
        }
    }

    private static string EventType(bool isWarning) => isWarning ? "Warning" : "Normal";
}
