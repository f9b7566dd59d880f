using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;
using Phi.Operator.Controllers;
using Phi.Operator.Metrics;

namespace Phi.Operator.Events;

/// <summary>
/// Says what is new about an object: a line of the log at once, a Kubernetes event in the background, at a bounded rate, warnings first.
/// Nobody waits for an event; one that finds no room or no taker is counted and given up.
/// </summary>
internal sealed partial class EventRecorder(EventWriter writer, OperatorMetrics metrics, TimeProvider time, ILogger logger) : IController
{
    private const int Capacity = 1000;
    private const int Burst = 25;
    private const double PerSecond = 10;
    private const int Tries = 12;
    private const int MostRemembered = 4096;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    /// <summary>The cluster itself forgets events after as long.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromHours(1);
    private readonly EventBuffer _buffer = new(Capacity);
    private readonly TokenBucket _rate = new(Burst, PerSecond, time);
    private readonly ConcurrentDictionary<string, (string Reason, string Message, DateTimeOffset At)> _said = new(StringComparer.Ordinal);
    private int _hasDropped;

    public string Name => "events";

    /// <summary>Says it, unless it is what was last said about the object.</summary>
    /// <param name="reason">CamelCase word.</param>
    /// <param name="message">A sentence with the numbers.</param>
    public void Record(EventSubject subject, bool isWarning, string reason, string message)
    {
        var now = time.GetUtcNow();
        var isNews = !_said.TryGetValue(subject.Uid, out var last) || (last.Reason, last.Message) != (reason, message) || now - last.At > Memory;
        _said[subject.Uid] = (reason, message, now);
        if (!isNews)
        {
            return;
        }

        LogSaid(logger, subject, reason, message);
        if (_buffer.Add(new PendingEvent(subject, isWarning, reason, message, now)) is { } dropped)
        {
            Drop(dropped, $"more than {Capacity} events wait");
        }

        ForgetOld();
    }

    /// <summary>Writes events until cancelled; what is left then stays for the next run.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        while (true)
        {
            await _buffer.WaitAsync(ct);
            await _rate.TakeAsync(ct);
            if (_buffer.Take() is { } next)
            {
                try
                {
                    await WriteAsync(next, ct);
                }
                catch (OperationCanceledException) when (ct.IsCancellationRequested)
                {
                    _buffer.PutBack(next);
                    throw;
                }
            }
        }
    }

    private async Task WriteAsync(PendingEvent value, CancellationToken ct)
    {
        for (var (attempt, delay) = (1, TimeSpan.FromSeconds(1)); ; attempt++)
        {
            Exception problem;
            try
            {
                await writer.WriteAsync(value, ct);
                metrics.EventWritten(value.IsWarning);
                return;
            }
            catch (Exception e) when (e is KubernetesApiException or HttpRequestException or IOException)
            {
                problem = e;
            }

            // A namespace that goes away takes no events; no later try would be taken either.
            if (attempt == Tries || problem is KubernetesApiException { Code: < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests and not HttpStatusCode.Conflict })
            {
                Drop(value, problem.Message);
                return;
            }

            await Task.Delay(problem is KubernetesApiException { RetryAfter: { } asked } && asked > delay ? asked : delay, time, ct);
            delay = delay * 2 > LongestDelay ? LongestDelay : delay * 2;
        }
    }

    private void Drop(PendingEvent value, string why)
    {
        metrics.EventDropped(value.IsWarning);
        if (Interlocked.Exchange(ref _hasDropped, 1) == 0)
        {
            LogDropped(logger, value.Subject, value.Reason, why);
        }
    }

    /// <summary>The older half at once, so that the search for it is seldom. What is forgotten is at worst said once more, which raises its event's count.</summary>
    private void ForgetOld()
    {
        if (_said.Count > MostRemembered)
        {
            foreach (var (uid, _) in _said.OrderBy(entry => entry.Value.At).Take(MostRemembered / 2))
            {
                _said.TryRemove(uid, out _);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Subject}: {Reason}: {Message}")]
    private static partial void LogSaid(ILogger logger, EventSubject subject, string reason, string message);

    [LoggerMessage(2, LogLevel.Warning, "The event {Reason} of {Subject} was given up: {Problem}. Further ones are only counted (phi_events_dropped_total).")]
    private static partial void LogDropped(ILogger logger, EventSubject subject, string reason, string problem);
}
