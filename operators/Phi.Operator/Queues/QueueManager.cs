using System.Collections.Frozen;
using System.Collections.Immutable;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Api.TrainingJobs;
using Phi.Api.TrainingQueues;
using Phi.Kubernetes;
using Phi.Operator.Controllers;
using Phi.Reconcile.Queues;
using Phi.Reconcile.Snapshots;

namespace Phi.Operator.Queues;

/// <summary>Admits jobs by their queues: decides whenever something has changed, tells jobs what it means for them, and keeps the queues' statuses.</summary>
internal sealed class QueueManager : IController
{
    /// <summary>Of each queue, how many waiting jobs have their words kept up to date.</summary>
    private const int Described = 100;

    /// <summary>Of the time of one connection, what the queues' statuses may take.</summary>
    private const double MostStatusShare = 0.1;
    private readonly Informer<TrainingQueue> _queues;
    private readonly Informer<V1PriorityClass> _classes;
    private readonly QueueBook _book = new();
    private readonly QueueStatusWriter _statuses;
    private readonly Task _jobsSynced;
    private readonly bool _keepsWords;
    private readonly TimeProvider _time;
    private readonly CoalescedLoop _cycle;
    private readonly CoalescedLoop _status;
    private readonly CoalescedLoop _refresh;
    private volatile QueueDecision? _decision;

    /// <param name="jobsSynced">Completes when every job has been observed once: before, quota that is taken would look free.</param>
    /// <param name="keepsWords">Whether the conditions of waiting jobs follow what has changed around them.</param>
    public QueueManager(KubernetesConnection connection, Task jobsSynced, bool keepsWords, TimeProvider time, ILoggerFactory logs)
    {
        (_jobsSynced, _keepsWords, _time) = (jobsSynced, keepsWords, time);
        _queues = new Informer<TrainingQueue>(connection.TrainingQueues(), null, null, time, logs.CreateLogger("Phi.Operator.Queues"));
        _classes = new Informer<V1PriorityClass>(connection.PriorityClasses(), null, null, time, logs.CreateLogger("Phi.Operator.PriorityClasses"));
        _statuses = new QueueStatusWriter(connection, time, logs.CreateLogger<QueueStatusWriter>());
        _cycle = new CoalescedLoop(TimeSpan.Zero, 1, time);
        _status = new CoalescedLoop(TimeSpan.FromSeconds(1), MostStatusShare, time);
        _refresh = new CoalescedLoop(TimeSpan.FromSeconds(5), 1, time);
    }

    /// <summary>Takes in a job as it is now; null: it is gone.</summary>
    public void Observe(ResourceKey key, TrainingJob? job)
    {
        if (_book.Observe(key, job))
        {
            _cycle.Signal();
        }
    }

    /// <summary>What the job's queue says; null: it has none, or has not been considered.</summary>
    public QueueAdmission? Admission(TrainingJob job) => _book.Admission(job);

    public string Name => "queues";

    /// <summary>Hears of jobs for which their queue's word has changed.</summary>
    public WakeJob Wake { get; set; } = (_, _) => { };

    public async Task RunAsync(CancellationToken ct)
    {
        // What an earlier term granted and did not write is not so.
        _book.Restart();
        _statuses.Restart();
        List<Task> loops =
        [
            _queues.RunAsync((_, _, _) => _cycle.Signal(), ct),
            _classes.RunAsync((_, _, _) => OnClasses(), ct),
        ];
        var synced = Task.WhenAll(_jobsSynced, _queues.Synced, _classes.Synced);
        await Task.WhenAny([synced, .. loops]);
        OnClasses();
        await using var alarm = _time.CreateTimer(_ => _cycle.Signal(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        loops.Add(_cycle.RunAsync(_ => CycleAsync(alarm), ct));
        loops.Add(_status.RunAsync(WriteStatusesAsync, ct));
        if (_keepsWords)
        {
            loops.Add(_refresh.RunAsync(RefreshAsync, ct));
        }

        await await Task.WhenAny(loops);
    }

    private void OnClasses()
    {
        _book.SetPriorities(_classes.All.ToFrozenDictionary(one => one.Metadata.Name, one => one.Value ?? 0, StringComparer.Ordinal));
        _cycle.Signal();
    }

    /// <param name="alarm">Begins another cycle when the first job that backs off may come back.</param>
    private Task CycleAsync(ITimer alarm)
    {
        var now = _time.GetUtcNow();
        var decision = _book.Decide([.. _queues.All.Select(QueueReader.Queue)], now, Wake);
        _decision = decision;
        alarm.Change(decision.LookAgainAt is { } at ? Later(at - now) : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _status.Signal();
        _refresh.Signal();
        return Task.CompletedTask;
    }

    /// <summary>A timer may ring a little early, and takes no more than 49 days.</summary>
    private static TimeSpan Later(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Min(Math.Ceiling(wait.TotalMilliseconds) + 1, TimeSpan.FromDays(1).TotalMilliseconds));

    private async Task WriteStatusesAsync(CancellationToken ct)
    {
        if (!await _statuses.WriteAsync(_queues.All, _decision!, Described, ct))
        {
            _status.Signal();
        }
    }

    private Task RefreshAsync(CancellationToken ct)
    {
        var decision = _decision!;
        _book.Refresh(_queues.All.SelectMany(queue => decision.Waiting(queue.Metadata.Name!).Take(Described)), Wake);
        return Task.CompletedTask;
    }
}
