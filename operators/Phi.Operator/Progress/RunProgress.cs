using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Telemetry.Series;

namespace Phi.Operator.Progress;

/// <summary>
/// How far one run is and where its time went, from rank 0's step events. Steps that a later attempt does again count as lost work.
/// </summary>
internal sealed class RunProgress
{
    private const int RateWindow = 20;
    private readonly SortedList<long, double> _effective = [];
    private readonly Dictionary<int, (DateTimeOffset Start, DateTimeOffset End)> _attempts = [];
    private readonly Queue<(DateTimeOffset Time, double Tokens)> _recent = new();
    private readonly Dictionary<long, CheckpointEvent> _checkpoints = [];

    /// <summary>Not in the store: after a restart of the operator the time that they cost is among the other.</summary>
    private readonly Dictionary<(int Attempt, long Step, DateTimeOffset Time), MissedCheckpoint> _missed = [];
    private readonly HashSet<(int Attempt, long Step)> _skipped = [];
    private CheckpointProblemStatus? _lastMissed;
    private CheckpointProblemStatus? _lastSkipped;
    private int _attempt;
    private double _productiveSeconds;
    private double _lostSeconds;
    private double? _firstLoss;
    private double? _loss;
    private double _tokens;

    /// <summary>Something was added since the last <see cref="MarkWritten"/>.</summary>
    public bool HasNews { get; private set; }

    public long Step => _effective.Count == 0 ? 0 : _effective.Keys[^1];

    public void MarkWritten() => HasNews = false;

    /// <returns>Whether it is a step that was not known; a replay is none.</returns>
    public bool Add(int attempt, StepEvent step)
    {
        if (step.Rank != 0 || !step.Metrics.TryGetValue("step_seconds", out var seconds))
        {
            return false;
        }

        HasNews = true;
        var isFirst = attempt > _attempt;
        if (isFirst)
        {
            _attempt = attempt;
            Rewind(step.Step);
        }

        var start = step.Time - TimeSpan.FromSeconds(seconds);
        _attempts[attempt] = _attempts.TryGetValue(attempt, out var span) ? (span.Start, step.Time > span.End ? step.Time : span.End) : (start, step.Time);

        // A program that reports every tenth step alone did ten in between.
        var covered = isFirst ? seconds : seconds * Math.Max(1, step.Step - Step);
        if (attempt < _attempt || !_effective.TryAdd(step.Step, covered))
        {
            return false;
        }

        _productiveSeconds += covered;
        _loss = step.Metrics.TryGetValue("loss", out var loss) ? loss : _loss;
        _tokens = step.Metrics.GetValueOrDefault("tokens", _tokens);
        if (step.Step == 1)
        {
            _firstLoss = loss;
        }

        _recent.Enqueue((step.Time, _tokens));
        if (_recent.Count > RateWindow)
        {
            _recent.Dequeue();
        }

        return true;
    }

    /// <returns>Whether it was not known.</returns>
    public bool Add(CheckpointEvent checkpoint)
    {
        var isNew = _checkpoints.TryAdd(checkpoint.Step, checkpoint);
        HasNews |= isNew;
        return isNew;
    }

    /// <returns>Whether it was not known.</returns>
    public bool Add(int attempt, MissedCheckpoint missed)
    {
        if (!_missed.TryAdd((attempt, missed.Step, missed.Time), missed))
        {
            return false;
        }

        _lastMissed = new CheckpointProblemStatus { Step = missed.Step, Time = missed.Time, Reason = missed.Reason, Message = missed.Message };
        HasNews = true;
        return true;
    }

    /// <summary>Several ranks may find the same checkpoint damaged; the first one's words stay. It is none any more.</summary>
    /// <returns>Whether it was not known.</returns>
    public bool Add(int attempt, SkippedCheckpoint skipped)
    {
        if (!_skipped.Add((attempt, skipped.Step)))
        {
            return false;
        }

        _checkpoints.Remove(skipped.Step);
        _lastSkipped = new CheckpointProblemStatus { Step = skipped.Step, Time = skipped.Time, Reason = SkippedCheckpoint.Damaged, Message = skipped.Message };
        HasNews = true;
        return true;
    }

    public void Add(CheckpointRecord stored) =>
        _checkpoints.TryAdd(stored.Step, new CheckpointEvent { Step = stored.Step, Time = stored.Time, Uri = stored.Uri, Bytes = stored.Bytes, Seconds = stored.Seconds, StallSeconds = stored.StallSeconds });

    /// <summary>Progress, checkpoint and goodput for the job's status.</summary>
    public TrainingJobStatus Describe(TrainingJob job, long? totalSteps, DateTimeOffset now)
    {
        var wall = Math.Max(1e-3, ((job.Status?.CompletionTime ?? now) - (job.Metadata.CreationTimestamp ?? now)).TotalSeconds);
        return new TrainingJobStatus
        {
            Progress = new ProgressStatus
            {
                Step = Step,
                TotalSteps = totalSteps,
                Tokens = _tokens > 0 ? (long)_tokens : null,
                Loss = Finite(_loss),
                FirstLoss = Finite(_firstLoss),
                TokensPerSecond = TokensPerSecond(),
                EstimatedCompletion = Estimate(totalSteps, now),
            },
            Checkpoint = Checkpoint(job.Status?.Checkpoint),
            Goodput = new GoodputStatus
            {
                Ratio = Math.Round(Math.Min(1, _productiveSeconds / wall), 4),
                ProductiveSeconds = Math.Round(_productiveSeconds, 3),
                LostSeconds = Lost(job, wall),
            },
        };
    }

    /// <param name="old">Problems are not in the store: after a restart of the operator the last ones are here.</param>
    private CheckpointStatus? Checkpoint(CheckpointStatus? old)
    {
        var newest = _checkpoints.Values.MaxBy(checkpoint => checkpoint.Step);
        var (missed, skipped) = (_lastMissed ?? old?.Missed, _lastSkipped ?? old?.Skipped);
        return newest is null && missed is null && skipped is null ? null : new CheckpointStatus
        {
            Step = newest?.Step,
            Time = newest?.Time,
            Uri = newest?.Uri,
            Count = newest is null ? null : _checkpoints.Count,
            Missed = missed,
            Skipped = skipped,
        };
    }

    private void Rewind(long step)
    {
        while (_effective.Count > 0 && _effective.Keys[^1] >= step)
        {
            _lostSeconds += _effective.Values[^1];
            _productiveSeconds -= _effective.Values[^1];
            _effective.RemoveAt(_effective.Count - 1);
        }

        _recent.Clear();
    }

    private Dictionary<string, double> Lost(TrainingJob job, double wall)
    {
        var order = _attempts.OrderBy(pair => pair.Key).Select(pair => pair.Value).ToList();
        var starting = order.Count > 0 && job.Metadata.CreationTimestamp is { } created ? Math.Max(0, (order[0].Start - created).TotalSeconds) : 0;
        var recovering = order.Zip(order.Skip(1)).Sum(pair => Math.Max(0, (pair.Second.Start - pair.First.End).TotalSeconds));
        var stall = _checkpoints.Values.Sum(checkpoint => checkpoint.StallSeconds) + _missed.Values.Sum(missed => missed.StallSeconds);
        var other = Math.Max(0, wall - _productiveSeconds - _lostSeconds - starting - recovering - stall);
        return new Dictionary<string, double>
        {
            ["starting"] = Math.Round(starting, 3),
            ["recovering"] = Math.Round(recovering, 3),
            ["lostWork"] = Math.Round(_lostSeconds, 3),
            ["checkpointStall"] = Math.Round(stall, 3),
            ["other"] = Math.Round(other, 3),
        };
    }

    private double? TokensPerSecond()
    {
        if (_recent.Count < 2)
        {
            return null;
        }

        var (first, last) = (_recent.Peek(), _recent.Last());
        var seconds = (last.Time - first.Time).TotalSeconds;
        return seconds > 0 && last.Tokens > 0 ? Math.Round((last.Tokens - first.Tokens) / seconds, 1) : null;
    }

    private DateTimeOffset? Estimate(long? totalSteps, DateTimeOffset now)
    {
        if (totalSteps is not { } total || _recent.Count < 2 || Step >= total)
        {
            return null;
        }

        var perStep = (_recent.Last().Time - _recent.Peek().Time).TotalSeconds / (_recent.Count - 1);
        return now + TimeSpan.FromSeconds(Math.Ceiling(perStep * (total - Step)));
    }

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? Math.Round(number, 5) : null;
}
