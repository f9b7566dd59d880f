using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Extensions.Logging;
using Phi.Api.TrainingJobs;
using Phi.Operator.Controllers;
using Phi.Telemetry.Store;
using Phi.Telemetry.Story;

namespace Phi.Operator.Story;

/// <summary>
/// Keeps what was decided about each job in the telemetry store, where it outlives the cluster's events. Nobody waits for it: what is told is
/// written once a second, and while the store is away it is kept, the oldest of it given up if it gets too much.
/// </summary>
internal sealed partial class StoryWriter(TelemetryStore store, TimeProvider time, ILogger logger) : IController
{
    private const int MostWaiting = 20_000;
    private const int MostRemembered = 4096;
    private const int MostAtOnce = 1000;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private readonly ConcurrentQueue<StoryPage> _waiting = new();
    private readonly List<StoryPage> _writing = [];
    private readonly ConcurrentDictionary<string, (string Reason, string Message, int Attempt)> _told = new(StringComparer.Ordinal);

    public string Name => "story";

    /// <summary>A decision, and the status that the job has with it. What was told last is not told again.</summary>
    public void Tell(TrainingJob job, TrainingJobStatus status, string reason, string message, bool isWarning)
    {
        var (uid, attempt) = (job.Metadata.Uid!, status.Attempt ?? 0);
        if (_told.TryGetValue(uid, out var last) && last == (reason, message, attempt))
        {
            return;
        }

        if (_told.Count > MostRemembered)
        {
            // At worst something is told once more.
            _told.Clear();
        }

        _told[uid] = (reason, message, attempt);
        var transition = new Transition(time.GetUtcNow(), reason, message, isWarning, attempt, status.Phase ?? TrainingPhase.Pending);
        _waiting.Enqueue(new StoryPage(uid, job.Metadata.Namespace!, job.Metadata.Name!, [transition], [.. (status.Interruptions ?? []).Select(Of)]));
        while (_waiting.Count > MostWaiting && _waiting.TryDequeue(out _))
        {
            // The newest is what explains the present.
        }
    }

    /// <summary>Writes until cancelled; what is left then stays for the next run.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(ct))
        {
            try
            {
                await FlushAsync(ct);
            }
            catch (Exception e) when (e is DbException or IOException or TimeoutException)
            {
                LogNotWritten(logger, _writing.Count + _waiting.Count, e.Message);
            }
        }
    }

    /// <summary>Writes what waits.</summary>
    internal async Task FlushAsync(CancellationToken ct)
    {
        do
        {
            // What could not be written is tried again, before what came since.
            while (_writing.Count < MostAtOnce && _waiting.TryDequeue(out var page))
            {
                _writing.Add(page);
            }

            await store.RecordAsync(_writing, ct);
            _writing.Clear();
        }
        while (!_waiting.IsEmpty);
    }

    private static Interruption Of(InterruptionStatus status) => new(
        status.Attempt ?? 0, status.Time ?? default, status.Reason ?? "", status.Message ?? "", status.Charged ?? false, status.Step ?? 0, status.ResumeStep ?? 0, status.LostSteps ?? 0);

    [LoggerMessage(1, LogLevel.Warning, "The story of {Count} decisions is not written yet: {Problem}")]
    private static partial void LogNotWritten(ILogger logger, int count, string problem);
}
