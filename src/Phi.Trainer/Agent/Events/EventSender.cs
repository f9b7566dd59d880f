using System.Net;
using Phi.Api.Agent;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent.Events;

/// <summary>Brings the ranks' events to the operator in batches, in order, until each is stored; while it is away they wait in memory, then on disk.</summary>
internal sealed class EventSender : IAsyncDisposable
{
    private const int MaximumBatch = 2000;

    /// <summary>Problems with their texts in one batch: of 70 KB at most each.</summary>
    private const int MaximumTexts = 50;

    /// <summary>Refused events that are looked for in one batch; of a batch with more of them the rest is dropped as it is refused.</summary>
    private const int MostRefused = 10;
    private readonly OperatorClient _operator;
    private readonly AssignmentRequest _self;
    private readonly EventBuffer _buffer;
    private readonly EventOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _flushing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _sending;
    private readonly Task _spilling;
    private volatile Trial? _trial;

    /// <param name="folder">This pod's alone; what an earlier agent left there is sent first.</param>
    public EventSender(OperatorClient client, AssignmentRequest self, string folder, EventOptions options, TimeProvider time, Action<string> log)
    {
        (_operator, _self, _options, _time, _log) = (client, self, options, time, log);
        _buffer = new EventBuffer(new EventSpool(folder, options.SegmentBytes, log), options, log);
        _sending = Task.Run(SendAllAsync);
        _spilling = Task.Run(SpillAsync);
    }

    public void Add(int attempt, RankEvent value) => _buffer.Add(attempt, value);

    /// <summary>Takes no more events, and waits until all are stored or the time is over.</summary>
    public async Task FlushAsync(TimeSpan patience)
    {
        _buffer.Complete();
        _flushing.TrySetResult();
        if (await Task.WhenAny(_sending, Task.Delay(patience, _time)) != _sending)
        {
            _log($"events were not delivered within {patience.TotalSeconds:0} s");
        }
    }

    /// <summary>What was not sent is on disk afterwards, for an agent that starts again in the folder.</summary>
    public async ValueTask DisposeAsync()
    {
        _buffer.Complete();
        await _stop.CancelAsync();
        await Task.WhenAll(_sending, _spilling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _buffer.Spill();
        _buffer.Dispose();
        _stop.Dispose();
    }

    private async Task SendAllAsync()
    {
        string? said = null;
        var delay = _options.RetryDelay;
        while (await _buffer.WaitAsync(_stop.Token))
        {
            if (!_buffer.IsComplete && !_buffer.IsOnDisk)
            {
                await Task.Delay(_options.Gather, _time, _stop.Token);
            }

            if (_buffer.Next(MaximumBatch) is not { } chunk)
            {
                continue;
            }

            _trial ??= new Trial(_time.GetTimestamp());
            try
            {
                await SendAsync(chunk.Attempt, chunk.Events);
                _buffer.Remove(chunk);
                (_trial, said, delay) = (null, null, _options.RetryDelay);
            }
            catch (HttpRequestException e)
            {
                if (e.Message != said)
                {
                    _log($"events wait: {said = e.Message}");
                }

                await PauseAsync(delay);
                delay = delay * 2 < _options.LongestRetryDelay ? delay * 2 : _options.LongestRetryDelay;
            }
        }
    }

    /// <summary>A flush ends it, and has no time for long ones.</summary>
    private Task PauseAsync(TimeSpan delay) => _flushing.Task.IsCompleted
        ? Task.Delay(_options.RetryDelay, _time, _stop.Token)
        : Task.WhenAny(_flushing.Task, Task.Delay(delay, _time, _stop.Token));

    private async Task SpillAsync()
    {
        using var timer = new PeriodicTimer(_options.SpillPeriod, _time);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            if (_buffer.IsOnDisk || _buffer.Count > _options.SpillEvents || (_trial is { } trial && _time.GetElapsedTime(trial.Since) >= _options.SpillAfter))
            {
                _buffer.Spill();
            }
        }
    }

    /// <summary>Sends events until each is stored, or refused for a reason that no retry mends.</summary>
    /// <exception cref="HttpRequestException">Not now; some may be stored.</exception>
    private async Task SendAsync(int attempt, IReadOnlyList<RankEvent> events)
    {
        var refused = 0;
        foreach (var part in Parts(events))
        {
            await SendPartAsync(part);
        }

        // One event that will never be taken must not take the others with it.
        async Task SendPartAsync(IReadOnlyList<RankEvent> part)
        {
            try
            {
                await _operator.ReportAsync(Batch(attempt, part), _stop.Token);
            }
            catch (RefusedException e) when (e.Code is HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge && part.Count > 1 && refused < MostRefused)
            {
                var half = part.Count / 2;
                await SendPartAsync([.. part.Take(half)]);
                await SendPartAsync([.. part.Skip(half)]);
            }
            catch (RefusedException e)
            {
                refused++;
                _log($"{part.Count} events dropped: {e.Message}");
            }
        }
    }

    /// <summary>Texts are large: a batch has few of them.</summary>
    private static IEnumerable<IReadOnlyList<RankEvent>> Parts(IReadOnlyList<RankEvent> events)
    {
        var part = new List<RankEvent>();
        var texts = 0;
        foreach (var value in events)
        {
            texts += value is RankEvent.Graded ? 1 : 0;
            if (texts > MaximumTexts)
            {
                yield return part;
                (part, texts) = ([], 1);
            }

            part.Add(value);
        }

        yield return part;
    }

    private EventBatch Batch(int attempt, IReadOnlyList<RankEvent> events) => new()
    {
        Namespace = _self.Namespace,
        Job = _self.Job,
        JobUid = _self.JobUid,
        Attempt = attempt,
        Steps = [.. events.OfType<RankEvent.Stepped>().Select(stepped => stepped.Step)],
        Checkpoints = [.. events.OfType<RankEvent.Saved>().Select(saved => saved.Checkpoint)],
        Skipped = [.. events.OfType<RankEvent.Skipped>().Select(skipped => skipped.Checkpoint)],
        Marks = [.. events.OfType<RankEvent.Reached>().Select(reached => reached.Mark)],
        Missed = [.. events.OfType<RankEvent.Missed>().Select(missed => missed.Checkpoint)],
        Problems = [.. events.OfType<RankEvent.Graded>().Select(graded => graded.Problem)],
        Evaluations = [.. events.OfType<RankEvent.Evaluated>().Select(evaluated => evaluated.Evaluation)],
    };

    /// <param name="Since">When the operator was first asked to take what it has not taken yet.</param>
    private sealed record Trial(long Since);
}
