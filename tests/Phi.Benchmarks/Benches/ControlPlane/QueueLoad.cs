using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Metadata;

namespace Phi.Benchmarks.Benches.ControlPlane;

/// <summary>
/// The load of Kueue's own scheduler benchmark (kubernetes-sigs/kueue, test/performance/scheduler, default generator): 5 cohorts of 6
/// queues of 20 units each; per queue 350 small, 100 medium and 50 large jobs that come at a steady pace.
/// </summary>
internal sealed class QueueLoad(string run, double share)
{
    private const int Cohorts = 5;
    private const int QueuesPerCohort = 6;
    private const int Nominal = 20;
    private const int BorrowingLimit = 100;

    /// <param name="Every">Time between two jobs of one queue.</param>
    internal sealed record JobClass(string Name, int Count, int Units, TimeSpan Runtime, int Priority, TimeSpan Every);

    internal sealed record Submission(string Name, string Queue, JobClass Class, TimeSpan At);

    public IReadOnlyList<JobClass> Classes { get; } =
    [
        new("small", Scaled(350, share), 1, TimeSpan.FromMilliseconds(200), 50, TimeSpan.FromMilliseconds(100)),
        new("medium", Scaled(100, share), 5, TimeSpan.FromMilliseconds(500), 100, TimeSpan.FromMilliseconds(500)),
        new("large", Scaled(50, share), 20, TimeSpan.FromSeconds(1), 200, TimeSpan.FromMilliseconds(1200)),
    ];

    /// <summary>Units of all queues together.</summary>
    public static int Capacity => Cohorts * QueuesPerCohort * Nominal;

    public IEnumerable<string> Queues => Enumerable.Range(0, Cohorts * QueuesPerCohort).Select(i => $"{run}-{i / QueuesPerCohort}-{i % QueuesPerCohort}");

    /// <summary>Unit-seconds that all jobs need.</summary>
    public double Work => Queues.Count() * Classes.Sum(one => one.Count * one.Units * one.Runtime.TotalSeconds);

    /// <summary>Every job, by the time at which it comes.</summary>
    public IReadOnlyList<Submission> Submissions() =>
    [
        .. Queues.SelectMany(queue => Classes.SelectMany(one => Enumerable.Range(0, one.Count).Select(i => new Submission($"{queue}-{one.Name}-{i}", queue, one, one.Every * i)))).OrderBy(job => job.At),
    ];

    public string PriorityClassName(JobClass one) => $"{run}-{one.Name}";

    public JsonObject PriorityClass(JobClass one) => new()
    {
        ["apiVersion"] = "scheduling.k8s.io/v1",
        ["kind"] = "PriorityClass",
        ["metadata"] = new JsonObject { ["name"] = PriorityClassName(one) },
        ["value"] = one.Priority,
        ["description"] = "phi bench control-plane",
    };

    public static JsonObject Queue(string name) => new()
    {
        ["apiVersion"] = PhiNames.ApiVersion,
        ["kind"] = "TrainingQueue",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject
        {
            ["cohort"] = name[..name.LastIndexOf('-')],
            ["quotas"] = new JsonArray(new JsonObject { ["acceleratorType"] = "cpu", ["nominal"] = Nominal, ["borrowingLimit"] = BorrowingLimit }),
            ["preemption"] = new JsonObject { ["withinQueue"] = "LowerPriority", ["reclaimWithinCohort"] = "Any", ["checkpointDeadline"] = "1s" },
        },
    };

    public JsonObject Job(Submission job) => new()
    {
        ["apiVersion"] = PhiNames.ApiVersion,
        ["kind"] = "TrainingJob",
        ["metadata"] = new JsonObject
        {
            ["name"] = job.Name,
            ["annotations"] = new JsonObject { [PhiNames.SimulatedRuntimeAnnotation] = string.Create(CultureInfo.InvariantCulture, $"{job.Class.Runtime.TotalMilliseconds}ms") },
        },
        ["spec"] = new JsonObject
        {
            ["queue"] = job.Queue,
            ["priorityClassName"] = PriorityClassName(job.Class),
            ["replicas"] = 1,
            ["accelerator"] = new JsonObject { ["type"] = "cpu", ["perReplica"] = job.Class.Units },
            ["phi"] = new JsonObject { ["steps"] = 1, ["data"] = new JsonObject { ["sources"] = new JsonArray("/dev/null"), ["tokenizer"] = new JsonObject { ["bytes"] = new JsonObject() } } },
        },
    };

    private static int Scaled(int count, double share) => Math.Max(1, (int)Math.Round(count * share));
}
