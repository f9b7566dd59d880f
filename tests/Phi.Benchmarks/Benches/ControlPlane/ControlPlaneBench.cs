using System.CommandLine;
using System.Net;
using System.Text.Json.Nodes;
using Phi.Api.Crds;
using Phi.Api.Manifests;
using Phi.Api.Metadata;
using Phi.Benchmarks.Reports;
using Phi.Kubernetes;

namespace Phi.Benchmarks.Benches.ControlPlane;

/// <summary>
/// How fast the operator moves jobs through queues, execution simulated: created, admitted by quota, preempted, finished, with nothing in
/// between but the API server. The reference is Kueue's scheduler under the same load on a machine of two cores that it shared with the API
/// server and etcd.
/// </summary>
internal sealed class ControlPlaneBench : IBench
{
    private const string Namespace = "default";
    private const int Senders = 16;
    private const double KueueSeconds = 384;
    private const double MostMegabytes = 250;
    private static readonly TimeSpan Stall = TimeSpan.FromMinutes(2);
    private readonly Option<string?> _kubeconfigOption = new("--kubeconfig") { Description = "An API server to measure against. Default: an embedded one, in a process of its own." };
    private readonly Option<double> _shareOption = new("--share") { Description = "Share of the jobs, above 0 and at most 1; targets hold for 1.", DefaultValueFactory = _ => 1 };
    private string? _kubeconfig;
    private double _share = 1;

    public string Name => "control-plane";

    public string Description => "15,000 jobs through 30 queues, execution simulated: time, admission, quota use, memory (--kubeconfig for another API server)";

    public IReadOnlyList<Option> Options => [_kubeconfigOption, _shareOption];

    public void Configure(ParseResult parsed)
    {
        (_kubeconfig, _share) = (parsed.GetValue(_kubeconfigOption), parsed.GetValue(_shareOption));
        if (_share is not (> 0 and <= 1))
        {
            throw new BenchException($"--share is {_share}; it must be above 0 and at most 1");
        }
    }

    public async Task<IReadOnlyList<Metric>> RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("phi-bench-control-plane-").FullName;
        try
        {
            await using var server = _kubeconfig is null ? await ApiServerProcess.StartAsync(Path.Combine(folder, "api")) : null;
            using var connection = KubernetesConnection.Open(_kubeconfig ?? server!.Kubeconfig, "phi-bench");
            return await MeasureAsync(connection, _kubeconfig ?? server!.Kubeconfig, folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReadOnlyList<Metric>> MeasureAsync(KubernetesConnection connection, string kubeconfig, string folder)
    {
        var load = new QueueLoad($"bench-{Guid.NewGuid():N}"[..12], _share);
        var jobs = load.Submissions();
        await PrepareAsync(connection, load);
        try
        {
            await using var phi = await OperatorProcess.StartAsync(kubeconfig, folder);
            var record = new QueueRecord(jobs.ToDictionary(job => job.Name, job => job.Class));
            using var stop = new CancellationTokenSource();
            var watch = WatchAsync(connection, record, jobs.Count, phi, stop.Token);
            await SubmitAsync(connection, load, jobs);
            var halves = await watch;
            await stop.CancelAsync();
            return Figures(load, jobs.Count, record, halves, phi);
        }
        finally
        {
            await CleanAsync(connection, load, jobs);
        }
    }

    private IReadOnlyList<Metric> Figures(QueueLoad load, int jobs, QueueRecord record, (OperatorUse First, OperatorUse Second) halves, OperatorProcess phi)
    {
        var seconds = record.Elapsed.TotalSeconds;
        var (peak, _) = phi.Memory;
        var isWhole = _share >= 1;
        var (first, second) = ((double)halves.First.Requests / (jobs / 2), (double)(halves.Second.Requests - halves.First.Requests) / (jobs - jobs / 2));
        return
        [
            Target("jobs finished", record.Finished, "jobs", value => Metric.AtLeast("jobs finished", value, "jobs", jobs), true),
            Target("jobs failed", record.Failed, "jobs", value => Metric.AtMost("jobs failed", value, "jobs", 0), true),
            Target("time for all", seconds, "s", value => Metric.AtMost("time for all", value, "s", KueueSeconds / 2), isWhole),
            new Metric("least time at full use", load.Work / QueueLoad.Capacity, "s"),
            Target("mean time to admission, large", record.MeanAdmission("large"), "s", value => Metric.AtMost("mean time to admission, large", value, "s", 17), isWhole),
            Target("mean time to admission, medium", record.MeanAdmission("medium"), "s", value => Metric.AtMost("mean time to admission, medium", value, "s", 92), isWhole),
            Target("mean time to admission, small", record.MeanAdmission("small"), "s", value => Metric.AtMost("mean time to admission, small", value, "s", 231), isWhole),
            Target("average use of the quota", record.Held / (QueueLoad.Capacity * seconds), "of it", value => Metric.AtLeast("average use of the quota", value, "of it", 0.8), isWhole),
            new Metric("useful part of the quota's time", load.Work / (QueueLoad.Capacity * seconds), "of it"),
            new Metric("evictions", record.Evictions, "jobs"),
            new Metric("operator, processor time", phi.CpuSeconds, "s"),
            Target("operator, peak memory", peak, "MB", value => Metric.AtMost("operator, peak memory", value, "MB", MostMegabytes), true),
            new Metric("operator, memory when half had finished", halves.First.Megabytes, "MB"),
            new Metric("operator, memory at the end", halves.Second.Megabytes, "MB"),
            new Metric("operator, API requests per job, first half", first, "requests"),
            Target("operator, API requests per job, second half / first", second / first, "times", value => Metric.AtMost("operator, API requests per job, second half / first", value, "times", 1.1), isWhole),
        ];

        static Metric Target(string name, double value, string unit, Func<double, Metric> judged, bool isJudged) => isJudged ? judged(value) : new Metric(name, value, unit);
    }

    /// <summary>The definitions, and what the jobs refer to.</summary>
    private static async Task PrepareAsync(KubernetesConnection connection, QueueLoad load)
    {
        foreach (var definition in CrdCatalog.All.SelectMany(ManifestReader.Read))
        {
            var name = (string)definition["metadata"]!["name"]!;
            await connection.SendAsync(HttpMethod.Patch, $"apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}?fieldManager=phi-bench&force=true", JsonNode.Parse(definition.ToJsonString()), "application/apply-patch+yaml", CancellationToken.None);
        }

        await EstablishedAsync(connection);
        foreach (var one in load.Classes)
        {
            await connection.SendAsync(HttpMethod.Post, "apis/scheduling.k8s.io/v1/priorityclasses", load.PriorityClass(one), "application/json", CancellationToken.None);
        }

        foreach (var queue in load.Queues)
        {
            await connection.SendAsync(HttpMethod.Post, $"apis/{PhiNames.ApiVersion}/trainingqueues", QueueLoad.Queue(queue), "application/json", CancellationToken.None);
        }
    }

    /// <summary>A real API server says 404 to a new kind at first, then 429 while it prepares the storage.</summary>
    private static async Task EstablishedAsync(KubernetesConnection connection)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await connection.TrainingJobs().ListAsync(Namespace, null, CancellationToken.None);
                await connection.SendAsync(HttpMethod.Get, $"apis/{PhiNames.ApiVersion}/trainingqueues", null, "application/json", CancellationToken.None);
                return;
            }
            catch (KubernetesApiException e) when ((e.IsNotFound || e.Code == HttpStatusCode.TooManyRequests) && TimeProvider.System.GetElapsedTime(started) < Stall)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
        }
    }

    /// <summary>Every job at its time, or as soon after as the server takes it.</summary>
    private static async Task SubmitAsync(KubernetesConnection connection, QueueLoad load, IReadOnlyList<QueueLoad.Submission> jobs)
    {
        var started = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(jobs, new ParallelOptions { MaxDegreeOfParallelism = Senders }, async (job, ct) =>
        {
            var early = job.At - TimeProvider.System.GetElapsedTime(started);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, ct);
            }

            await connection.SendAsync(HttpMethod.Post, $"apis/{PhiNames.ApiVersion}/namespaces/{Namespace}/trainingjobs", load.Job(job), "application/json", ct);
        });
    }

    /// <summary>Follows the jobs until all have finished; what the operator had used when half had, and at the end.</summary>
    private static async Task<(OperatorUse First, OperatorUse Second)> WatchAsync(KubernetesConnection connection, QueueRecord record, int jobs, OperatorProcess phi, CancellationToken ct)
    {
        var (_, version) = await connection.TrainingJobs().ListAsync(Namespace, null, ct);
        OperatorUse? half = null;
        using var stalled = CancellationTokenSource.CreateLinkedTokenSource(ct);
        stalled.CancelAfter(Stall);
        try
        {
            while (record.Finished < jobs)
            {
                await foreach (var change in connection.TrainingJobs().WatchAsync(Namespace, null, version, stalled.Token))
                {
                    version = change.Version;
                    if (change.Type == "BOOKMARK")
                    {
                        continue;
                    }

                    var before = record.Finished;
                    record.See(change.ToJson(), TimeProvider.System.GetTimestamp());
                    if (record.Finished > before)
                    {
                        stalled.CancelAfter(Stall);
                    }

                    half ??= record.Finished >= jobs / 2 ? await phi.UseAsync() : null;
                    if (record.Finished >= jobs)
                    {
                        break;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new BenchException($"only {record.Finished} of {jobs} jobs had finished when nothing more did for {Stall.TotalMinutes} minutes. {record.FirstFailure}\nThe operator's last words:\n{phi.Errors}");
        }

        return (half!, await phi.UseAsync());
    }

    private static async Task CleanAsync(KubernetesConnection connection, QueueLoad load, IReadOnlyList<QueueLoad.Submission> jobs)
    {
        await Parallel.ForEachAsync(jobs, new ParallelOptions { MaxDegreeOfParallelism = Senders }, async (job, ct) => await connection.TrainingJobs().DeleteAsync(Namespace, job.Name, null, null, ct));
        foreach (var path in load.Queues.Select(queue => $"apis/{PhiNames.ApiVersion}/trainingqueues/{queue}").Concat(load.Classes.Select(one => $"apis/scheduling.k8s.io/v1/priorityclasses/{load.PriorityClassName(one)}")))
        {
            try
            {
                await connection.SendAsync(HttpMethod.Delete, path, null, "application/json", CancellationToken.None);
            }
            catch (KubernetesApiException e) when (e.IsNotFound)
            {
                // It was not made.
            }
        }
    }
}
