using System.Collections.Concurrent;
using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Operator.Execute;

/// <summary>
/// When the status of a job that only waits may be written: at once for a burst of jobs, then so many a second, in the order in which they
/// came. With thousands of jobs in line most of the API server's time would else go into telling why each waits, and the jobs that could
/// run would wait for that. A job that is admitted before its turn comes is spared the write.
/// </summary>
internal sealed class WaitingWords(TimeProvider time)
{
    private const int Burst = 100;
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);
    private readonly ConcurrentDictionary<ResourceKey, TimeSpan> _turns = new();
    private readonly Lock _lock = new();

    /// <summary>Turns are counted from here, by a clock that is never set.</summary>
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _next = TimeSpan.MinValue;

    /// <summary>Whether a status says no more than that the job has no quota, as before.</summary>
    public static bool SayOnly(TrainingJobStatus? old, TrainingJobStatus status) =>
        status.Phase == TrainingPhase.Pending && old?.Phase is null or TrainingPhase.Pending && Quota(status) == "False" && Quota(old) is null or "False";

    /// <summary>How long the job must wait for its turn; null: it is now.</summary>
    public TimeSpan? Take(ResourceKey job)
    {
        var now = time.GetElapsedTime(_start);
        var turn = _turns.GetOrAdd(job, _ => Reserve(now));
        if (turn > now)
        {
            return turn - now;
        }

        _turns.TryRemove(job, out _);
        return null;
    }

    /// <summary>The job has other things to say, or is gone.</summary>
    public void Forget(ResourceKey job) => _turns.TryRemove(job, out _);

    private TimeSpan Reserve(TimeSpan now)
    {
        lock (_lock)
        {
            var full = now - Burst * Period;
            _next = (_next < full ? full : _next) + Period;
            return _next;
        }
    }

    private static string? Quota(TrainingJobStatus? status) => status?.Conditions?.Find(condition => condition.Type == TrainingConditions.QuotaReserved)?.Status;
}
