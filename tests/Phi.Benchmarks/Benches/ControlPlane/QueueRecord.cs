using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;

namespace Phi.Benchmarks.Benches.ControlPlane;

/// <summary>What a watch of the jobs shows: when each came, was admitted, evicted, finished; and so the use of the quota. Not safe for several threads.</summary>
internal sealed class QueueRecord(IReadOnlyDictionary<string, QueueLoad.JobClass> classes)
{
    private readonly Dictionary<string, JobTimes> _jobs = new(StringComparer.Ordinal);
    private long _first;
    private long _last;
    private double _unitSeconds;

    public int Finished { get; private set; }

    public int Failed { get; private set; }

    public int Evictions { get; private set; }

    public string? FirstFailure { get; private set; }

    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_first, _last);

    /// <summary>Unit-seconds that jobs held.</summary>
    public double Held => _unitSeconds;

    /// <param name="at">Timestamp of its arrival.</param>
    public void See(JsonObject job, long at)
    {
        var name = (string)job["metadata"]!["name"]!;
        if (!classes.TryGetValue(name, out var one))
        {
            return;
        }

        if (!_jobs.TryGetValue(name, out var times))
        {
            _jobs[name] = times = new JobTimes(one, at);
            _first = _first == 0 ? at : _first;
        }

        var status = job["status"].Deserialize<TrainingJobStatus>(PhiJson.Options);
        var isFinished = status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;
        var isHeld = !isFinished && status?.Conditions?.Exists(condition => condition is { Type: TrainingConditions.QuotaReserved, Status: "True" }) == true;
        Hold(times, isHeld, at);
        if (isFinished && !times.IsFinished)
        {
            times.IsFinished = true;
            // Admitted and finished may arrive as one.
            times.AdmittedAt ??= at;
            Finished++;
            _last = at;
            if (status!.Phase == TrainingPhase.Failed)
            {
                Failed++;
                FirstFailure ??= $"{name}: {status.Conditions?.Find(condition => condition.Type == TrainingConditions.Finished)?.Message}";
            }
        }
        else if (!isHeld && !isFinished && times.AdmittedAt is not null && times.WasHeld)
        {
            Evictions++;
        }

        times.WasHeld = isHeld;
    }

    /// <summary>Mean time from a job's creation to its first admission, seconds.</summary>
    public double MeanAdmission(string className) =>
        _jobs.Values.Where(job => job.Class.Name == className && job.AdmittedAt is not null).Select(job => TimeProvider.System.GetElapsedTime(job.CreatedAt, job.AdmittedAt!.Value).TotalSeconds).DefaultIfEmpty(double.NaN).Average();

    private void Hold(JobTimes times, bool isHeld, long at)
    {
        if (isHeld && times.HeldSince is null)
        {
            times.HeldSince = at;
            times.AdmittedAt ??= at;
        }
        else if (!isHeld && times.HeldSince is { } since)
        {
            _unitSeconds += times.Class.Units * TimeProvider.System.GetElapsedTime(since, at).TotalSeconds;
            times.HeldSince = null;
        }
    }

    private sealed class JobTimes(QueueLoad.JobClass one, long createdAt)
    {
        public QueueLoad.JobClass Class => one;

        public long CreatedAt => createdAt;

        public long? AdmittedAt { get; set; }

        public long? HeldSince { get; set; }

        public bool WasHeld { get; set; }

        public bool IsFinished { get; set; }
    }
}
