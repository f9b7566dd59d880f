using Phi.Api.Agent;
using Phi.Api.TrainingJobs;
using Phi.Planning.Reports;
using Phi.Telemetry.Goodput;
using Phi.Telemetry.Series;

namespace Phi.Operator.Progress;

/// <summary>
/// How far one run is and where its time went, from rank 0's step events. Steps that a later attempt does again count as lost work. It
/// holds one row per attempt, however many steps there were: what does not follow from these is asked of the store
/// (<see cref="ProgressStore.SettleAsync"/>), so that in the end the figures are those of what is stored, whatever came twice or late.
/// </summary>
internal sealed class RunProgress(string run)
{
    private readonly SortedList<int, AttemptAccount> _attempts = [];
    private readonly SavedCheckpoints _checkpoints = new();

    /// <summary>What each is about is not in the store; what they cost is in the ledger.</summary>
    private readonly MissedSaves _missed = new();
    private readonly HashSet<(int Attempt, long Step)> _skipped = [];
    private CheckpointProblemStatus? _lastMissed;
    private CheckpointProblemStatus? _lastSkipped;
    private (long? Generation, double? OfAPod) _peak = (-1, null);

    /// <summary>The job's uid.</summary>
    public string Run => run;

    /// <summary>Something was added since the last <see cref="MarkWritten"/>.</summary>
    public bool HasNews { get; private set; }

    /// <summary>By attempt.</summary>
    public IList<AttemptAccount> Attempts => _attempts.Values;

    public SavedCheckpoints Checkpoints => _checkpoints;

    public Evaluations Evaluations { get; } = new();

    public RateWindow Rate { get; } = new();

    /// <summary>The newest attempt that has done a step; null: none has.</summary>
    public AttemptAccount? Newest => _attempts.Values.LastOrDefault(account => account.Row.Steps > 0);

    public long Step => Newest?.Row.LastStep ?? 0;

    public double? Tokens => Trained.LastOrDefault(row => row.Tokens is not null)?.Tokens;

    private IEnumerable<AttemptGoodput> Trained => _attempts.Values.Select(account => account.Row).Where(row => row.Steps > 0);

    public void MarkWritten() => HasNews = false;

    /// <returns>Whether it is a step beyond its attempt's last; others were known, or are found in the store.</returns>
    public bool Add(int attempt, StepEvent step)
    {
        if (step.Rank != 0 || !step.Metrics.TryGetValue("step_seconds", out var seconds))
        {
            return false;
        }

        var tokens = step.Metrics.TryGetValue("tokens", out var known) && double.IsFinite(known) ? known : default(double?);
        // As the store keeps it.
        var time = DateTimeOffset.FromUnixTimeMilliseconds(step.Time.ToUnixTimeMilliseconds());
        return Add(attempt, new StoredStep(step.Step, time, double.IsFinite(seconds) ? seconds : 0, step.Metrics.TryGetValue("loss", out var loss) ? loss : null, tokens));
    }

    /// <inheritdoc cref="Add(int, StepEvent)"/>
    public bool Add(int attempt, in StoredStep step)
    {
        HasNews = true;
        var account = Account(attempt);
        var isFirst = account.Row.Steps == 0;
        if (!account.Add(step))
        {
            return false;
        }

        if (isFirst)
        {
            Fork();
        }

        if (account == Newest)
        {
            if (isFirst)
            {
                Rate.Clear();
            }

            Rate.Add(step);
        }

        return true;
    }

    /// <returns>Whether it is certainly new.</returns>
    public bool Add(CheckpointEvent checkpoint)
    {
        HasNews = true;
        return _checkpoints.Add(checkpoint);
    }

    /// <returns>Whether it was not known.</returns>
    public bool Add(int attempt, EvaluationEvent evaluation)
    {
        var isNew = Evaluations.Add(attempt, evaluation);
        HasNews |= isNew;
        return isNew;
    }

    /// <returns>Whether it was not known.</returns>
    public bool Add(int attempt, MissedCheckpoint missed)
    {
        if (!_missed.Add(attempt, missed))
        {
            return false;
        }

        Account(attempt).AddMissed(missed.Time, missed.StallSeconds);
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

    /// <summary>What the ledger has of the run, before anything is added.</summary>
    public void Restore(IEnumerable<AttemptGoodput> rows)
    {
        foreach (var row in rows)
        {
            var account = new AttemptAccount(row);
            account.Doubt();
            _attempts.Add(row.Attempt, account);
            if (row.MissedUntil is { } until)
            {
                _missed.Restore(until);
            }

            HasNews = true;
        }

        Fork();
    }

    /// <summary>Where each attempt's steps begin to be lost: at the lowest first step of those after it.</summary>
    public void Fork()
    {
        long? lostFrom = null;
        foreach (var account in _attempts.Values.Where(account => account.Row.Steps > 0).Reverse())
        {
            account.Fork(lostFrom);
            lostFrom = Math.Min(lostFrom ?? long.MaxValue, account.Row.FirstStep);
        }
    }

    /// <summary>Progress, checkpoint and goodput for the job's status.</summary>
    public TrainingJobStatus Describe(TrainingJob job, long? totalSteps, DateTimeOffset now)
    {
        var (created, end) = (job.Metadata.CreationTimestamp ?? now, job.Status?.CompletionTime ?? now);
        var wall = Math.Max(1e-3, (end - created).TotalSeconds);
        var rows = Trained.ToList();
        var productive = rows.Sum(row => row.ProductiveSeconds);
        return new TrainingJobStatus
        {
            Progress = new ProgressStatus
            {
                Step = Step,
                TotalSteps = totalSteps,
                Tokens = Tokens is > 0 and var tokens ? (long)tokens : null,
                Loss = Finite(rows.LastOrDefault(row => row.Loss is not null)?.Loss),
                FirstLoss = Finite(rows.LastOrDefault(row => row.FirstStep == 1)?.FirstLoss),
                TokensPerSecond = Rate.TokensPerSecond,
                Mfu = Rate.TokensPerSecond is { } rate ? rate / (PeakOfAPod(job) * Math.Max(1, job.Status?.Replicas ?? job.Spec.Replicas ?? 1)) : null,
                EstimatedCompletion = Estimate(totalSteps, now),
            },
            Checkpoint = Checkpoint(job.Status?.Checkpoint),
            Evaluation = Evaluations.Describe(),
            Goodput = new GoodputStatus
            {
                Ratio = Math.Round(Math.Min(1, productive / wall), 4),
                ProductiveSeconds = Math.Round(productive, 3),
                LostSeconds = Lost(job, rows, created, end, wall - productive),
            },
        };
    }

    /// <summary>Made anew only when the spec has changed: a description is asked for every second.</summary>
    private double? PeakOfAPod(TrainingJob job)
    {
        if (_peak.Generation != job.Metadata.Generation)
        {
            _peak = (job.Metadata.Generation, Utilization.PeakOfAPod(job));
        }

        return _peak.OfAPod;
    }

    /// <param name="old">Problems are not in the store: after a restart of the operator the last ones are here.</param>
    private CheckpointStatus? Checkpoint(CheckpointStatus? old)
    {
        var newest = _checkpoints.Newest;
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

    /// <param name="all">Seconds that were not productive.</param>
    private Dictionary<string, double> Lost(TrainingJob job, List<AttemptGoodput> rows, DateTimeOffset created, DateTimeOffset end, double all)
    {
        var (starting, suspendedBefore) = rows.Count > 0 ? Gap(created, rows[0].Start) : default;
        var gaps = rows.Zip(rows.Skip(1), (before, after) => Gap(before.End, after.Start)).ToList();
        var suspended = suspendedBefore + gaps.Sum(gap => gap.Suspended) + SuspendedTime.Since(job, rows.Count > 0 ? rows[^1].End : created, end);
        var recovering = gaps.Sum(gap => gap.Waiting);
        var lost = rows.Sum(row => row.LostSeconds);
        var stall = _checkpoints.StallSeconds + _attempts.Values.Sum(account => account.Row.MissedStallSeconds);
        return new Dictionary<string, double>
        {
            ["starting"] = Math.Round(starting, 3),
            ["recovering"] = Math.Round(recovering, 3),
            ["suspended"] = Math.Round(suspended, 3),
            ["lostWork"] = Math.Round(lost, 3),
            ["checkpointStall"] = Math.Round(stall, 3),
            ["other"] = Math.Round(Math.Max(0, all - lost - starting - recovering - suspended - stall), 3),
        };

        // Attempts may overlap where clocks differ.
        (double Waiting, double Suspended) Gap(DateTimeOffset from, DateTimeOffset until)
        {
            var suspended = until > from ? SuspendedTime.Between(job, from, until) : 0;
            return (Math.Max(0, (until - from).TotalSeconds) - suspended, suspended);
        }
    }

    private DateTimeOffset? Estimate(long? totalSteps, DateTimeOffset now) => totalSteps is { } total && Step < total && Rate.SecondsPerStep is { } perStep
        ? now + TimeSpan.FromSeconds(Math.Ceiling(perStep * (total - Step)))
        : null;

    private AttemptAccount Account(int attempt)
    {
        if (!_attempts.TryGetValue(attempt, out var account))
        {
            _attempts[attempt] = account = AttemptAccount.New(attempt);
        }

        return account;
    }

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? Math.Round(number, 5) : null;
}
