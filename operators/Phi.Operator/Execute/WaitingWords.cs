using Phi.Api.TrainingJobs;
using Phi.Kubernetes;

namespace Phi.Operator.Execute;

/// <summary>
/// When the status of a job that only waits may be written: at once for a burst of jobs, then so many a second that it takes a tenth of one
/// connection's time, in the order in which they came. With thousands of jobs in line most of the API server's time would else go into telling
/// why each waits, and the jobs that could run would wait for that. A job that is admitted before its turn comes is spared the write.
/// </summary>
internal sealed class WaitingWords(TimeProvider time)
{
    private const int Burst = 100;
    private const double MostShare = 0.1;

    /// <summary>Weight of the newest write in how long writes take.</summary>
    private const double Newest = 0.05;

    /// <summary>What adding up parts of a period leaves.</summary>
    private const double Rounding = 1e-6;
    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMilliseconds(50);

    /// <summary>Then is looked again: writes may have become faster.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private readonly Dictionary<ResourceKey, long> _turns = [];
    private readonly Lock _lock = new();
    private TimeSpan _period = ShortestPeriod;
    private double _writeSeconds;
    private long _given;

    /// <summary>The last turn that has come, with the part of the next one that has passed.</summary>
    private double _come = Burst;
    private long _at = time.GetTimestamp();

    /// <summary>Whether a status says no more than that the job has no quota, as before.</summary>
    public static bool SayOnly(TrainingJobStatus? old, TrainingJobStatus status) =>
        status.Phase == TrainingPhase.Pending && old?.Phase is null or TrainingPhase.Pending && Quota(status) == "False" && Quota(old) is null or "False";

    /// <summary>How long the job must wait for its turn, or before it asks again; null: it is now.</summary>
    public TimeSpan? Take(ResourceKey job)
    {
        lock (_lock)
        {
            Advance();
            if (!_turns.TryGetValue(job, out var turn))
            {
                _turns[job] = turn = ++_given;
            }

            if (turn > _come + Rounding)
            {
                var wait = (turn - _come) * _period;
                return wait < LongestWait ? wait : LongestWait;
            }

            _turns.Remove(job);
            return null;
        }
    }

    /// <summary>The job has other things to say, or is gone.</summary>
    public void Forget(ResourceKey job)
    {
        lock (_lock)
        {
            _turns.Remove(job);
        }
    }

    /// <summary>How long the API server took for a status.</summary>
    public void Took(TimeSpan write)
    {
        lock (_lock)
        {
            Advance();
            _writeSeconds += (write.TotalSeconds - _writeSeconds) * Newest;
            var period = TimeSpan.FromSeconds(_writeSeconds / MostShare);
            _period = period > ShortestPeriod ? period : ShortestPeriod;
        }
    }

    private void Advance()
    {
        _come = Math.Min(_come + time.GetElapsedTime(_at) / _period, _given + Burst);
        _at = time.GetTimestamp();
    }

    private static string? Quota(TrainingJobStatus? status) => status?.Conditions?.Find(condition => condition.Type == TrainingConditions.QuotaReserved)?.Status;
}
