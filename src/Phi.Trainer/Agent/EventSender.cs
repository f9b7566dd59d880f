using System.Threading.Channels;
using Phi.Api.Agent;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Agent;

/// <summary>Brings the ranks' events to the operator in batches, in order, until each is stored; an operator that is away only delays them.</summary>
internal sealed class EventSender : IAsyncDisposable
{
    private const int MaximumBatch = 2000;
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);
    private readonly Channel<(int Attempt, RankEvent Event)> _events = Channel.CreateUnbounded<(int, RankEvent)>();
    private readonly OperatorClient _operator;
    private readonly AssignmentRequest _self;
    private readonly Action<string> _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    public EventSender(OperatorClient client, AssignmentRequest self, Action<string> log)
    {
        (_operator, _self, _log) = (client, self, log);
        _loop = Task.Run(RunAsync);
    }

    public void Add(int attempt, RankEvent value) => _events.Writer.TryWrite((attempt, value));

    /// <summary>Takes no more events, and waits until all are stored or the time is over.</summary>
    public async Task FlushAsync(TimeSpan patience)
    {
        _events.Writer.TryComplete();
        if (await Task.WhenAny(_loop, Task.Delay(patience)) != _loop)
        {
            _log($"events were not delivered within {patience.TotalSeconds:0} s");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        await _stop.CancelAsync();
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (await _events.Reader.WaitToReadAsync(_stop.Token))
        {
            if (!_events.Reader.Completion.IsCompleted)
            {
                await Task.Delay(Gather, _stop.Token);
            }

            var batch = new List<(int Attempt, RankEvent Event)>();
            while (batch.Count < MaximumBatch && _events.Reader.TryPeek(out var next) && (batch.Count == 0 || next.Attempt == batch[0].Attempt) && _events.Reader.TryRead(out next))
            {
                batch.Add(next);
            }

            await SendAsync(batch);
        }
    }

    private async Task SendAsync(List<(int Attempt, RankEvent Event)> batch)
    {
        var message = new EventBatch
        {
            Namespace = _self.Namespace,
            Job = _self.Job,
            JobUid = _self.JobUid,
            Attempt = batch[0].Attempt,
            Steps = [.. batch.Select(item => item.Event).OfType<RankEvent.Stepped>().Select(stepped => stepped.Step)],
            Checkpoints = [.. batch.Select(item => item.Event).OfType<RankEvent.Saved>().Select(saved => saved.Checkpoint)],
            Skipped = [.. batch.Select(item => item.Event).OfType<RankEvent.Skipped>().Select(skipped => skipped.Checkpoint)],
            Marks = [.. batch.Select(item => item.Event).OfType<RankEvent.Reached>().Select(reached => reached.Mark)],
            Missed = [.. batch.Select(item => item.Event).OfType<RankEvent.Missed>().Select(missed => missed.Checkpoint)],
        };
        while (true)
        {
            try
            {
                await _operator.ReportAsync(message, _stop.Token);
                return;
            }
            catch (HttpRequestException e)
            {
                _log($"events wait: {e.Message}");
                await Task.Delay(RetryDelay, _stop.Token);
            }
            catch (RefusedException e)
            {
                _log($"events dropped: {e.Message}");
                return;
            }
        }
    }
}
