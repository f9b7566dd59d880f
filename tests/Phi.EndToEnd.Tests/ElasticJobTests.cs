using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Chaos;
using Phi.Chaos.Faults;
using Phi.Kubernetes;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.EndToEnd.Tests;

/// <summary>A job of two to three pods on three nodes, of which one dies and comes back.</summary>
public sealed class ElasticJobTests : IAsyncLifetime
{
    private const string Job = "elastic";
    private const int GlobalBatch = 12;
    private const int SequenceLength = 64;

    /// <summary>Steps of either run that are compared: the lost node's are among them.</summary>
    private const int Compared = 120;

    /// <summary>The job trains for a while before it may grow, and a node that went silent is left out for a minute.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);
    private readonly string _folder = Directory.CreateTempSubdirectory("phi elastic ").FullName;
    private ChaosCluster _cluster = null!;
    private string _corpus = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _corpus = Manifests.WriteCorpus(_folder);
        _cluster = new ChaosCluster(Path.Combine(_folder, "home"), Tools.Cli, Tools.TrainerFolder);
        await _cluster.StartAsync(nodes: 3, Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Job_OneNodeIsLostAndComesBack_ShrinksThenGrowsAndTrainsEachStepOnce()
    {
        var whole = await UndisturbedAsync("undisturbed");
        await SubmitAsync(Job);
        var job = await UntilAsync(Job, status => status is { Phase: TrainingPhase.Running, ReadyReplicas: 3, Checkpoint.Step: > 0 }, "first checkpoint of three pods");
        Assert.Equal((1, "3/3"), (job.Status!.Attempt, job.Status.Ready));

        var target = new FaultTarget(_cluster, new Random(1), [.. job.Status.Placement!.Select(place => (place.Pod!, place.Node!))], PodProcess.Of(job.Metadata.Uid!));
        var mend = await FaultCatalog.NodeKilled.InjectAsync(target, Ct);
        job = await UntilAsync(Job, status => status is { Attempt: 2, Phase: TrainingPhase.Running, Replicas: 2, ReadyReplicas: 2, Progress.Step: > Compared }, "training of two pods");
        AssertFree(job.Status!, freeRestarts: 1);
        Assert.Equal("2/2", job.Status!.Ready);
        Assert.Equal(2, job.Status.Placement!.Select(place => place.Node).Distinct().Count());
        var lost = Assert.Single(job.Status.Interruptions!);
        Assert.True(lost.ResumeStep > 0, lost.Message);
        AssertTold(job.Status, "attempt 1 ended: ", "attempt 2 (free) goes on from the checkpoint of step ");

        await mend();
        job = await UntilAsync(Job, status => status is { Attempt: 3, Phase: TrainingPhase.Running, Replicas: 3, ReadyReplicas: 3 } && status.Progress!.Step > status.Interruptions![1].Step + 20, "training of three pods again");
        AssertFree(job.Status!, freeRestarts: 2);
        var grown = job.Status!.Interruptions![1];
        Assert.Equal(("Growing", 0L, "3/3"), (grown.Reason, grown.LostSteps, job.Status.Ready));
        Assert.Contains(job.Status.Conditions!, condition => condition is { Type: TrainingConditions.Resizing, Status: "False" });
        AssertTold(job.Status, "attempt 2 ended: the ranks saved and left for a larger gang; ", "attempt 3 (free) goes on from the checkpoint of step ");

        var last = await SuspendAsync(Job);
        await AssertCurveAsync(job.Metadata.Uid!, last, lost, grown, whole);
    }

    private static void AssertTold(TrainingJobStatus status, string end, string next)
    {
        var told = status.Conditions!.Find(condition => condition is { Type: TrainingConditions.Requeued, Status: "True" })!.Message!;
        Assert.StartsWith(end, told, StringComparison.Ordinal);
        Assert.Contains(next, told, StringComparison.Ordinal);
    }

    private static void AssertFree(TrainingJobStatus status, int freeRestarts)
    {
        Assert.Equal((0, freeRestarts), (status.Restarts ?? 0, status.FreeRestarts));
        Assert.All(status.Interruptions!, interruption => Assert.False(interruption.Charged, interruption.Message));
        // The same batch at every size.
        Assert.Equal(status.Progress!.Step * GlobalBatch * SequenceLength, status.Progress.Tokens);
    }

    private async Task AssertCurveAsync(string run, long last, InterruptionStatus lost, InterruptionStatus grown, SortedDictionary<long, double> whole)
    {
        await using var store = await TelemetryStore.OpenAsync(_cluster.Telemetry, TimeProvider.System, Ct);
        var curve = await store.SeriesAsync(new SeriesQuery { Run = run, Metric = "loss", Buckets = (int)last }, Ct);
        Assert.Equal(Enumerable.Range(1, (int)last).Select(step => (double)step), curve.Columns.Step);
        Assert.Equal([1, lost.ResumeStep!.Value + 1, grown.Step!.Value + 1], curve.Attempts.Select(attempt => attempt.FirstStep));
        Assert.Equal(0, curve.Attempts[1].LostSteps);
        Assert.Equal([6, 4, 6], (await Curve.RanksAsync(_cluster.Telemetry, run, Ct)).OrderBy(pair => pair.Key).Select(pair => pair.Value.Count));
        foreach (var (step, loss) in whole)
        {
            // Another world size adds the same gradients in another order.
            Assert.True(Math.Abs(curve.Columns.Last[(int)step - 1] - loss) <= 1e-3 * loss, $"step {step}: {curve.Columns.Last[(int)step - 1]:R}, undisturbed {loss:R}");
        }
    }

    /// <summary>The first losses of a run that nothing happens to.</summary>
    private async Task<SortedDictionary<long, double>> UndisturbedAsync(string name)
    {
        await SubmitAsync(name);
        var job = await UntilAsync(name, status => status.Progress?.Step > Compared, $"step {Compared}");
        await SuspendAsync(name);
        var losses = await Losses.EffectiveAsync(_cluster.Telemetry, job.Metadata.Uid!);
        await _cluster.Connection.TrainingJobs().DeleteAsync(ChaosCluster.Namespace, name, null, null, Ct);
        return new SortedDictionary<long, double>(losses.Take(Compared).ToDictionary());
    }

    /// <returns>The last step.</returns>
    private async Task<long> SuspendAsync(string name)
    {
        await _cluster.Connection.TrainingJobs().MergePatchAsync(ChaosCluster.Namespace, name, new JsonObject { ["spec"] = new JsonObject { ["suspend"] = true } }, "test", null, Ct);
        return (await UntilAsync(name, status => status.Phase == TrainingPhase.Suspended, "suspension")).Status!.Progress!.Step!.Value;
    }

    private async Task<TrainingJob> UntilAsync(string name, Predicate<TrainingJobStatus> isSo, string what)
    {
        TrainingJob? job = null;
        try
        {
            await _cluster.UntilAsync(async () =>
            {
                if (!_cluster.Operator.IsRunning)
                {
                    // One that could not renew its lease in time ends; a Deployment starts it again.
                    _cluster.Operator.Start();
                }

                return (job = await _cluster.JobAsync(name, Ct))?.Status is { } status && (isSo(status) || status.Phase == TrainingPhase.Failed);
            }, what, Ct, Patience);
        }
        catch (ChaosException e)
        {
            Assert.Fail($"{e.Message}\n{(job is null ? "no job" : ResourceJson.Write(job).ToJsonString())}");
        }

        Assert.True(job!.Status!.Phase != TrainingPhase.Failed, ResourceJson.Write(job).ToJsonString());
        return job;
    }

    /// <summary>More steps than any machine takes meanwhile: the job is to be training when there is room to grow.</summary>
    private async Task SubmitAsync(string name)
    {
        var manifest = string.Create(CultureInfo.InvariantCulture, $$$"""
            apiVersion: phi-orchestrator.io/v1alpha1
            kind: TrainingJob
            metadata: { name: {{{name}}} }
            spec:
              replicas: 3
              minReplicas: 2
              accelerator: { type: cpu, perReplica: 2 }
              template: { terminationGracePeriodSeconds: 20 }
              phi:
                model: { layers: 1, hiddenSize: 32, heads: 2, rotaryDim: 8, mlpSize: 64, vocabularySize: 257, sequenceLength: {{{SequenceLength}}} }
                data: { sources: ["{{{_corpus}}}/*.txt"] }
                batch: { global: {{{GlobalBatch}}}, micro: 1 }
                steps: 10000000
                optimizer: { adamW: { learningRate: 3.0e-3 } }
                schedule: { linear: { warmupSteps: 5 } }
                seed: 7
              checkpoint: { everySteps: 20, keepLast: 3 }
              recovery: { backoff: 100ms }
            """);
        await _cluster.Connection.TrainingJobs().ApplyAsync(ChaosCluster.Namespace, name, JsonNode.Parse(ManifestReader.Read(manifest).Single().ToJsonString())!.AsObject(), "test", null, Ct);
    }
}
