using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Chaos.Faults;
using Phi.Kubernetes;

namespace Phi.Chaos;

/// <summary>A job, disturbed. Each fault is injected while the job trains, and must have ended in a new step before the next one.</summary>
public sealed class ChaosRun(ChaosCluster cluster, Random random, Action<string> log)
{
    private const int EverySteps = 20;
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan EndPatience = TimeSpan.FromMinutes(20);

    /// <summary>The undisturbed losses.</summary>
    public async Task<SortedDictionary<long, double>> UndisturbedAsync(string name, string corpus, long steps, CancellationToken ct)
    {
        await SubmitAsync(name, corpus, steps, ct);
        return await FinishAsync(name, ct);
    }

    /// <summary>Injects the faults in order, and waits for the job's end.</summary>
    /// <exception cref="ChaosException">The job did not come back, ended otherwise, or was charged wrongly.</exception>
    public async Task<(IReadOnlyList<FaultOutcome> Outcomes, SortedDictionary<long, double> Losses)> DisturbedAsync(string name, string corpus, long steps, IReadOnlyList<Fault> faults, CancellationToken ct)
    {
        await SubmitAsync(name, corpus, steps, ct);
        var outcomes = new List<FaultOutcome>();
        foreach (var (i, fault) in faults.Index())
        {
            outcomes.Add(await DisturbAsync(name, fault, ct));
            var done = outcomes[^1];
            log(string.Create(CultureInfo.InvariantCulture, $"{i + 1}/{faults.Count} {fault.Name}: next new step after {done.Seconds:0.0} s, {done.LostSteps} steps again"));
        }

        return (outcomes, await FinishAsync(name, ct));
    }

    private async Task SubmitAsync(string name, string corpus, long steps, CancellationToken ct)
    {
        var manifest = JsonNode.Parse(ManifestReader.Read(Manifest(name, corpus, steps)).Single().ToJsonString())!.AsObject();
        await cluster.Connection.TrainingJobs().ApplyAsync(ChaosCluster.Namespace, name, manifest, "phi-chaos", null, ct);
        await TrainsAsync(name, 2, RecoveryPatience, ct);
    }

    private async Task<FaultOutcome> DisturbAsync(string name, Fault fault, CancellationToken ct)
    {
        var settled = await SettledAsync(name, ct);
        var before = settled.Status!;
        var placement = before.Placement!.Select(place => (place.Pod!, place.Node!)).ToList();
        var target = new FaultTarget(cluster, random, placement, PodProcess.Of(settled.Metadata.Uid!));
        var known = await Curve.ReadAsync(cluster.Telemetry, settled.Metadata.Uid!, ct);
        var at = DateTimeOffset.UtcNow;
        log($"{fault.Name} at step {known[^1].Step}, attempt {before.Attempt}");
        var mend = await fault.InjectAsync(target, ct);

        var (next, lost) = await NextNewStepAsync(name, settled.Metadata.Uid!, fault, before.Attempt!.Value, at, ct);
        await mend();
        var after = await ReconciledAsync(name, next.Step, ct);
        Check(fault, before, after.Status!, lost);
        return new FaultOutcome(fault, (next.Time - at).TotalSeconds, lost, (DateTimeOffset.UtcNow - at).TotalSeconds, after.Status!.Attempt!.Value - before.Attempt!.Value);
    }

    /// <summary>The first step after the fault that no attempt had done before it, and how many were done again on the way.</summary>
    private async Task<(CurveStep Next, long Lost)> NextNewStepAsync(string name, string uid, Fault fault, int attempt, DateTimeOffset at, CancellationToken ct)
    {
        CurveStep? next = null;
        var lost = 0L;
        await cluster.UntilAsync(async () =>
        {
            var steps = await Curve.ReadAsync(cluster.Telemetry, uid, ct);
            if (fault.Charge == Charge.None)
            {
                next = steps.FirstOrDefault(step => step.Attempt == attempt && step.Time > at);
                return next is not null;
            }

            // What the old attempt still did after the fault counts as before.
            var reached = steps.Where(step => step.Attempt <= attempt).Max(step => step.Step);
            var newer = steps.Where(step => step.Attempt > attempt).ToList();
            next = newer.FirstOrDefault(step => step.Step > reached);
            lost = newer.Count == 0 ? 0 : Math.Max(0, reached - newer.Min(step => step.Step) + 1);
            return next is not null;
        }, $"new step of {name} after '{fault.Name}'", ct, RecoveryPatience);
        return (next!, lost);
    }

    private static void Check(Fault fault, TrainingJobStatus before, TrainingJobStatus after, long lost)
    {
        var (charged, free) = ((after.Restarts ?? 0) - (before.Restarts ?? 0), (after.FreeRestarts ?? 0) - (before.FreeRestarts ?? 0));
        var isRight = fault.Charge switch
        {
            Charge.None => (charged, free) == (0, 0),
            Charge.Free => charged == 0 && free >= 1,
            _ => charged == 1 && free == 0,
        };
        if (!isRight)
        {
            var last = after.Interruptions?.LastOrDefault();
            throw new ChaosException($"'{fault.Name}' must be {fault.Charge}; it raised restarts by {charged} and freeRestarts by {free}. The last interruption: {last?.Reason}: {last?.Message}");
        }

        if (lost > (fault.MostLostSteps ?? EverySteps))
        {
            throw new ChaosException($"'{fault.Name}' may cost at most {fault.MostLostSteps ?? EverySteps} steps; it cost {lost}");
        }
    }

    /// <summary>The job's state once it runs, with every pod placed, and its status has caught up.</summary>
    private async Task<TrainingJob> SettledAsync(string name, CancellationToken ct)
    {
        var job = await TrainsAsync(name, 0, RecoveryPatience, ct);
        var step = job.Status!.Progress!.Step!.Value;
        // Steps between two faults: more than a checkpoint's interval now and then, less at other times.
        return await TrainsAsync(name, step + random.Next(5, 2 * EverySteps), RecoveryPatience, ct);
    }

    private async Task<TrainingJob> TrainsAsync(string name, long step, TimeSpan patience, CancellationToken ct)
    {
        TrainingJob? job = null;
        await cluster.UntilAsync(async () =>
        {
            job = await cluster.JobAsync(name, ct);
            ThrowIfOver(name, job);
            return job?.Status is { Phase: TrainingPhase.Running, Placement: { } placement, Progress.Step: { } at } status && placement.Count == status.ReadyReplicas && placement.TrueForAll(place => place.Node is not null) && at >= step;
        }, $"training of {name} at step {step}", ct, patience);
        return job!;
    }

    private async Task<TrainingJob> ReconciledAsync(string name, long step, CancellationToken ct)
    {
        TrainingJob? job = null;
        await cluster.UntilAsync(async () => (job = await cluster.JobAsync(name, ct))?.Status?.Progress?.Step >= step, $"word of step {step} in the status of {name}", ct, RecoveryPatience);
        return job!;
    }

    private async Task<SortedDictionary<long, double>> FinishAsync(string name, CancellationToken ct)
    {
        TrainingJob? job = null;
        await cluster.UntilAsync(async () =>
        {
            job = await cluster.JobAsync(name, ct);
            return job?.Status?.Phase is TrainingPhase.Succeeded or TrainingPhase.Failed;
        }, $"end of {name}", ct, EndPatience);
        if (job!.Status!.Phase == TrainingPhase.Failed)
        {
            ThrowIfOver(name, job);
        }

        var steps = await Curve.ReadAsync(cluster.Telemetry, job.Metadata.Uid!, ct);
        await CheckGangsAsync(job, steps, ct);
        await cluster.Connection.TrainingJobs().DeleteAsync(ChaosCluster.Namespace, name, null, null, ct);
        return Curve.Effective(steps);
    }

    /// <summary>An attempt that trained had all of its ranks.</summary>
    private async Task CheckGangsAsync(TrainingJob job, IReadOnlyList<CurveStep> steps, CancellationToken ct)
    {
        var ranks = await Curve.RanksAsync(cluster.Telemetry, job.Metadata.Uid!, ct);
        // Of an attempt's very last step some ranks may not have been able to tell.
        foreach (var attempt in steps.GroupBy(step => step.Attempt).Where(group => group.Count() > 1))
        {
            if (ranks[attempt.Key].Count != Ranks)
            {
                throw new ChaosException($"attempt {attempt.Key} trained {attempt.Count()} steps with ranks {string.Join(", ", ranks[attempt.Key].Order())} of {Ranks}");
            }
        }
    }

    private void ThrowIfOver(string name, TrainingJob? job)
    {
        if (job?.Status is { Phase: TrainingPhase.Failed or TrainingPhase.Succeeded } status)
        {
            throw new ChaosException($"{name} is {status.Phase} too early: {status.Conditions?.Find(condition => condition.Type == TrainingConditions.Finished)?.Message}\n{cluster.Evidence()}");
        }
    }

    private const int Ranks = 4;

    private static string Manifest(string name, string corpus, long steps) => string.Create(CultureInfo.InvariantCulture, $$$"""
        apiVersion: phi-orchestrator.io/v1alpha1
        kind: TrainingJob
        metadata: { name: {{{name}}} }
        spec:
          replicas: 2
          accelerator: { type: cpu, perReplica: 2 }
          template: { terminationGracePeriodSeconds: 15 }
          phi:
            model: { layers: 1, hiddenSize: 32, heads: 2, rotaryDim: 8, mlpSize: 64, vocabularySize: 257, sequenceLength: 64 }
            data: { sources: ["{{{corpus}}}"] }
            batch: { global: 4, micro: 1 }
            steps: {{{steps}}}
            optimizer: { adamW: { learningRate: 3.0e-3 } }
            schedule: { linear: { warmupSteps: 5 } }
            seed: 7
          checkpoint: { everySteps: {{{EverySteps}}} }
          recovery: { maxRestarts: 100000, backoff: 100ms, restartWindow: 10s, hangTimeout: 8s }
        """);
}
