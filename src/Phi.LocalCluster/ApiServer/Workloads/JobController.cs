using System.Globalization;
using System.Text.Json.Nodes;
using Phi.LocalCluster.ApiServer.Apply;
using Phi.LocalCluster.ApiServer.Registry;

namespace Phi.LocalCluster.ApiServer.Workloads;

/// <summary>Runs Jobs of one pod at a time: makes pods until one succeeds or too many have failed, and keeps the status.</summary>
internal sealed class JobController(ResourceService service, TimeProvider clock)
{
    private static readonly string[] Ends = ["Complete", "Failed"];
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RefusedRetry = TimeSpan.FromSeconds(1);

    /// <summary>Where there are no Jobs, as on most control planes, the many pods of gangs are not looked through at each of their changes.</summary>
    private bool _mayHoldPods = true;

    public static IReadOnlySet<string> Watched { get; } = new HashSet<string>(StringComparer.Ordinal) { BuiltInResources.Pods.Storage, BuiltInResources.Jobs.Storage };

    /// <summary>One look at every Job; returns the time until one of them needs another.</summary>
    public TimeSpan? Pass()
    {
        var jobs = service.Store.List(BuiltInResources.Jobs.Storage).Items;
        if (jobs.Count == 0 && !_mayHoldPods)
        {
            return null;
        }

        _mayHoldPods = Release(jobs) || jobs.Count > 0;
        TimeSpan? next = null;
        foreach (var job in jobs.Where(job => !Conditions.IsEnding(job)))
        {
            try
            {
                next = Sooner(next, IsFinished(job) ? Expire(job) : Sync(job));
            }
            catch (ApiException)
            {
                // Changed or gone meanwhile, or its pod is refused, which may change: the other Jobs go on.
                next = Sooner(next, RefusedRetry);
            }
        }

        return next;
    }

    /// <summary>Pods of Jobs that are gone or going are kept for no count. True if there were such pods.</summary>
    private bool Release(IReadOnlyList<JsonObject> jobs)
    {
        var found = false;
        var counting = jobs.Where(job => !Conditions.IsEnding(job)).Select(job => (string)job["metadata"]!["uid"]!).ToHashSet(StringComparer.Ordinal);
        foreach (var pod in service.Store.List(BuiltInResources.Pods.Storage).Items.Where(pod => JobPods.IsTracked(pod) && (JobPods.Owner(pod) is not { } owner || !counting.Contains(owner))))
        {
            found = true;
            JobPods.Release(service, pod);
        }

        return found;
    }

    private TimeSpan? Sync(JsonObject job)
    {
        var pods = new JobPods(service, job);
        var (now, key) = (clock.GetUtcNow(), ResourceService.KeyOf(job));

        // First it is written whose end counts, then the pods may go, then the counts are raised: a stop in between loses and doubles none.
        Change(key, status =>
        {
            status["startTime"] ??= ManagedFields.Stamp(now);
            foreach (var pod in pods.Uncounted)
            {
                var (waiting, uid) = (Uncounted(status, JobPods.HasSucceeded(pod)), (string)pod["metadata"]!["uid"]!);
                if (!waiting.Any(one => (string?)one == uid))
                {
                    waiting.Add(uid);
                }
            }
        });
        foreach (var pod in pods.Uncounted.ToList())
        {
            pods.Release(pod);
        }

        JsonObject counted = [];
        Change(key, status =>
        {
            Count(status, pods);
            counted = status.DeepClone().AsObject();
        });
        return Decide(job, counted, pods, now);
    }

    private TimeSpan? Decide(JsonObject job, JsonObject status, JobPods pods, DateTimeOffset now)
    {
        var (key, spec) = (ResourceService.KeyOf(job), job["spec"]!);
        var deadline = (long?)spec["activeDeadlineSeconds"] is { } seconds ? Time(status["startTime"])!.Value.AddSeconds(seconds) - now : (TimeSpan?)null;
        if ((long?)status["succeeded"] > 0)
        {
            return Finish(key, pods, "SuccessCriteriaMet", "Complete", "CompletionsReached", "Reached expected number of succeeded pods", now);
        }

        if ((string?)Find(status, "FailureTarget")?["reason"] is { } reason)
        {
            return Finish(key, pods, "FailureTarget", "Failed", reason, (string)Find(status, "FailureTarget")!["message"]!, now);
        }

        if (((long?)status["failed"] ?? 0) > (long)spec["backoffLimit"]!)
        {
            return Finish(key, pods, "FailureTarget", "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now);
        }

        if (deadline <= TimeSpan.Zero)
        {
            return Finish(key, pods, "FailureTarget", "Failed", "DeadlineExceeded", "Job was active longer than specified deadline", now);
        }

        if (pods.Active.Count == 0)
        {
            var wait = pods.LastFailure is { } last ? last + Backoff((long?)status["failed"] ?? 0) - now : TimeSpan.Zero;
            if (wait > TimeSpan.Zero)
            {
                return Sooner(deadline, wait);
            }

            pods.Create();
        }

        return deadline;
    }

    /// <summary>Says how it ends at once, and that it has ended when no pod runs any more.</summary>
    private TimeSpan? Finish(Storage.ObjectKey key, JobPods pods, string first, string last, string reason, string message, DateTimeOffset now)
    {
        pods.EndActive();
        Change(key, status =>
        {
            foreach (var type in pods.Active.Count == 0 ? new[] { first, last } : [first])
            {
                Conditions.Set(status, new JsonObject { ["type"] = type, ["status"] = "True", ["reason"] = reason, ["message"] = message, ["lastProbeTime"] = ManagedFields.Stamp(now) }, now);
            }

            if (last == "Complete" && pods.Active.Count == 0)
            {
                status["completionTime"] ??= ManagedFields.Stamp(now);
            }
        });
        return pods.Active.Count > 0 ? RefusedRetry : null;
    }

    private TimeSpan? Expire(JsonObject job)
    {
        if ((long?)job["spec"]!["ttlSecondsAfterFinished"] is not { } seconds)
        {
            return null;
        }

        var left = Time((Conditions.Find(job, "Complete") ?? Conditions.Find(job, "Failed"))!["lastTransitionTime"])!.Value.AddSeconds(seconds) - clock.GetUtcNow();
        if (left > TimeSpan.Zero)
        {
            return left;
        }

        service.Delete(BuiltInResources.Jobs, ResourceService.KeyOf(job), new DeleteOptions(PropagationPolicy: "Foreground", Uid: (string?)job["metadata"]!["uid"]));
        return null;
    }

    private static void Count(JsonObject status, JobPods pods)
    {
        foreach (var isSuccess in new[] { true, false })
        {
            var (waiting, field) = (Uncounted(status, isSuccess), isSuccess ? "succeeded" : "failed");
            if (waiting.Count > 0)
            {
                status[field] = ((long?)status[field] ?? 0) + waiting.Count;
                waiting.Clear();
            }
        }

        status["uncountedTerminatedPods"] = new JsonObject();
        (status["active"], status["ready"], status["terminating"]) = (pods.Active.Count, pods.Active.Count(Conditions.IsReady), pods.Active.Count(Conditions.IsEnding));
    }

    private static JsonArray Uncounted(JsonObject status, bool isSuccess)
    {
        var waiting = (status["uncountedTerminatedPods"] ??= new JsonObject()).AsObject();
        return (waiting[isSuccess ? "succeeded" : "failed"] ??= new JsonArray()).AsArray();
    }

    private void Change(Storage.ObjectKey key, Action<JsonObject> change) =>
        service.Store.TryChange(BuiltInResources.Jobs, key, job => change((job["status"] as JsonObject ?? (JsonObject)(job["status"] = new JsonObject()))));

    private static bool IsFinished(JsonObject job) => Ends.Any(type => (string?)Conditions.Find(job, type)?["status"] == "True");

    private static JsonNode? Find(JsonObject status, string type) => (status["conditions"] as JsonArray ?? []).FirstOrDefault(condition => (string?)condition?["type"] == type);

    private static TimeSpan Backoff(long failed) => TimeSpan.FromTicks(Math.Min(LastBackoff.Ticks, FirstBackoff.Ticks << (int)Math.Clamp(failed - 1, 0, 10)));

    private static DateTimeOffset? Time(JsonNode? text) => (string?)text is { } given ? DateTimeOffset.Parse(given, CultureInfo.InvariantCulture) : null;

    private static TimeSpan? Sooner(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other ?? one : one;
}
