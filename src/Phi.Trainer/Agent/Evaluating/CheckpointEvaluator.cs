using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Checkpoints;
using Phi.Trainer.Evaluating;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Evaluating;

/// <summary>
/// Evaluates committed checkpoints beside training, one at a time: the first pod's agent has it, through all of the pod's attempts. While one is
/// evaluated the newest that is due waits; those between are told to be overtaken. README.md says what survives what.
/// </summary>
/// <param name="folder">For what is in between; this pod's alone.</param>
/// <param name="report">Takes an event of the attempt that committed the checkpoint.</param>
/// <param name="changed">Called when nothing is left to do.</param>
internal sealed class CheckpointEvaluator(AgentSettings settings, string folder, Action<int, RankEvent> report, Action changed, Action<string> log) : IAsyncDisposable
{
    /// <summary>For the storage to hear that a checkpoint is not in use any more; beyond that its mark expires.</summary>
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(1);
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stop = new();
    private Assignment? _assignment;
    private EvaluationCandidate? _waiting;
    private EvaluationCandidate? _running;
    private Task _work = Task.CompletedTask;
    private string? _givenUp;
    private int _sinceLast;

    /// <summary>Something is being evaluated, or waits for it.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_lock)
            {
                return _running is not null || _waiting is not null;
            }
        }
    }

    private EvaluationSpec? Spec => _assignment?.Spec.Phi?.Evaluation;

    /// <summary>An attempt begins; the pod's first one with the newest checkpoint that another pod has not evaluated to its end.</summary>
    public void Begin(Assignment assignment)
    {
        var isFirst = _assignment is null;
        _assignment = assignment;
        if (isFirst && Spec is not null && assignment.ResumeStep is { } newest && !(newest <= assignment.EvaluatedStep))
        {
            Offer(newest, assignment.Attempt);
        }
    }

    /// <summary>A checkpoint of the current attempt was committed.</summary>
    public void Committed(long step)
    {
        if (Spec is { } spec && (++_sinceLast >= spec.EveryCheckpoints || step == _assignment!.Spec.Phi!.Steps))
        {
            _sinceLast = 0;
            Offer(step, _assignment!.Attempt);
        }
    }

    /// <summary>Nothing is evaluated any more; what was under way is told to have had no time.</summary>
    /// <param name="why">Null: another pod takes it up, and nothing is told.</param>
    public void GiveUp(string? why)
    {
        EvaluationCandidate? waiting;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            (_givenUp, waiting, _waiting) = (why, _waiting, null);
        }

        _stop.Cancel();
        if (waiting is not null)
        {
            Drop(waiting, why is null ? null : EvaluationEvent.NoTime, why ?? "");
        }
    }

    /// <summary>Ends what is under way, and waits a moment for what is to be told of it.</summary>
    public async Task EndAsync()
    {
        GiveUp(null);
        await Task.WhenAny(_work, Task.Delay(ReleasePatience));
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _stop.Dispose();
    }

    private void Offer(long step, int attempt)
    {
        EvaluationCandidate? overtaken;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }

            overtaken = _waiting;
            _waiting = new EvaluationCandidate(Location(_assignment!), step, attempt, settings.Request.Job, log);
            if (_running is null)
            {
                (_running, _waiting) = (_waiting, null);
                _work = Task.Run(WorkAsync);
            }
        }

        if (overtaken is not null)
        {
            Drop(overtaken, EvaluationEvent.Overtaken, $"the checkpoint of step {step} was committed before its turn came, and is evaluated instead; evaluate every second one (spec.phi.evaluation.everyCheckpoints), fewer samples or problems, or with more threads");
        }
    }

    private async Task WorkAsync()
    {
        while (true)
        {
            var candidate = _running!;
            await EvaluateAsync(candidate);
            await candidate.DisposeAsync();
            lock (_lock)
            {
                (_running, _waiting) = (_waiting, null);
                if (_running is null)
                {
                    break;
                }
            }
        }

        changed();
    }

    private async Task EvaluateAsync(EvaluationCandidate candidate)
    {
        var (assignment, spec, missing) = (_assignment!, Spec!, Spec!.Suites!.Select(suite => suite.Name!).ToList());
        try
        {
            var request = new EvaluateRequest
            {
                Checkpoint = await candidate.OpenAsync(),
                Step = candidate.Step,
                Committed = candidate.Committed,
                Seed = assignment.Spec.Phi!.Seed!.Value,
                Evaluation = spec,
                Folder = folder,
            };
            log($"step {candidate.Step}: the checkpoint is being evaluated with {string.Join(" and ", missing)}");
            Directory.CreateDirectory(folder);
            var (code, said) = await EvaluationProcess.RunAsync(request, OnEvent, log, _stop.Token);
            if (!_stop.IsCancellationRequested)
            {
                Tell(EvaluationEvent.Failed, $"the evaluation ended with code {code}{(said.Length > 0 ? $": {said}" : "")}");
            }
            else if (_givenUp is { } why)
            {
                Tell(EvaluationEvent.NoTime, why);
            }
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            Tell(EvaluationEvent.GenerationFailed, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Tell(EvaluationEvent.Failed, e.Message);
        }
        finally
        {
            Clear();
        }

        void OnEvent(RankEvent value)
        {
            if (value is RankEvent.Evaluated { Evaluation: var evaluation })
            {
                missing.Remove(evaluation.Suite);
                Say(evaluation);
            }

            if (value is RankEvent.Evaluated or RankEvent.Graded)
            {
                report(candidate.Attempt, value);
            }
        }

        void Tell(string reason, string message) => Report(candidate, missing, reason, message);
    }

    /// <param name="reason">Null: nothing is told.</param>
    private void Drop(EvaluationCandidate candidate, string? reason, string message)
    {
        if (reason is not null && Spec is { } spec)
        {
            Report(candidate, [.. spec.Suites!.Select(suite => suite.Name!)], reason, message);
        }

        _ = candidate.DisposeAsync().AsTask();
    }

    private void Report(EvaluationCandidate candidate, List<string> suites, string reason, string message)
    {
        foreach (var suite in suites)
        {
            var evaluation = new EvaluationEvent { Step = candidate.Step, Suite = suite, Time = TimeProvider.System.GetUtcNow(), Committed = candidate.Committed, Reason = reason, Message = message.Length > 1000 ? message[..1000] : message };
            Say(evaluation);
            report(candidate.Attempt, new RankEvent.Evaluated(evaluation));
        }
    }

    private void Say(EvaluationEvent evaluation) => log(evaluation.Reason is null
        ? $"step {evaluation.Step}: {evaluation.Suite} {string.Join(", ", evaluation.PassAt.Select(score => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"pass@{score.Key} {score.Value:0.000}")))}, {evaluation.Passed} of {evaluation.Problems * evaluation.Samples} programs passed"
        : $"step {evaluation.Step} is not evaluated with {evaluation.Suite}: {evaluation.Message}");

    private void Clear()
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log($"{folder} is needed no more and cannot be removed: {e.Message}");
        }
    }

    private string Location(Assignment assignment)
    {
        var store = assignment.Spec.Checkpoint!.Store!;
        return store.AzureBlob is { } blob ? blob.ToAddress() : Path.Combine(settings.CheckpointRoot, store.Folder!.Path!);
    }
}
