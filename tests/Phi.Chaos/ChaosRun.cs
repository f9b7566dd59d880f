using System.Globalization;
using System.Text.Json.Nodes;
using Phi.Api.Manifests;
using Phi.Api.TrainingJobs;
using Phi.Chaos.Faults;
using Phi.Kubernetes;

namespace Phi.Chaos;

/// <summary>
/// Jobs, disturbed. Each fault is injected while a job trains, and must have ended in a new step before the next one. A job that comes near
/// its end is left alone, must succeed with the undisturbed losses, and another one takes the faults that are left.
/// </summary>
/// <param name="steps">Of each job.</param>
public sealed class ChaosRun(ChaosCluster cluster, string corpus, long steps, Random random, Action<string> log)
{
    private const int Ranks = 4;
    private const int EverySteps = 20;

    /// <summary>More than a job trains during the longest fault that does not stop it.</summary>
    private const int LastSteps = 900;
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan EndPatience = TimeSpan.FromMinutes(20);

    /// <summary>Trains once without faults, then injects them in order. Ends when every job has.</summary>
    /// <exception cref="ChaosException">A job did not come back, ended otherwise, was charged wrongly, or has other losses.</exception>
    public async Task<IReadOnlyList<FaultOutcome>> RunAsync(IReadOnlyList<Fault> faults, CancellationToken ct)
    {
        await SubmitAsync("undisturbed", ct);
        var undisturbed = await FinishAsync("undisturbed", ct);
        var outcomes = new List<FaultOutcome>();
        for (var job = 1; outcomes.Count < faults.Count; job++)
        {
            var name = $"disturbed-{job}";
            await SubmitAsync(name, ct);
            while (outcomes.Count < faults.Count && await SettledAsync(name, ct) is { } settled)
            {
                var fault = faults[outcomes.Count];
                outcomes.Add(await DisturbAsync(name, settled, fault, ct));
                var done = outcomes[^1];
                log(string.Create(CultureInfo.InvariantCulture, $"{outcomes.Count}/{faults.Count} {fault.Name}: next new step after {done.Seconds:0.0} s, {done.LostSteps} steps again, status up to date after {done.ReconciledSeconds:0.0} s"));
            }

            Compare(name, undisturbed, await FinishAsync(name, ct));
        }

        return outcomes;
    }

    private static void Compare(string name, SortedDictionary<long, double> undisturbed, SortedDictionary<long, double> losses)
    {
        if (!undisturbed.Keys.SequenceEqual(losses.Keys))
        {
            throw new ChaosException($"{name} has steps {string.Join(", ", losses.Keys.Except(undisturbed.Keys))} too many and {string.Join(", ", undisturbed.Keys.Except(losses.Keys))} too few");
        }

        var other = undisturbed.Keys.FirstOrDefault(step => BitConverter.DoubleToInt64Bits(undisturbed[step]) != BitConverter.DoubleToInt64Bits(losses[step]));
        if (other != 0)
        {
            throw new ChaosException($"{name}: the loss of step {other} is {losses[other]:R}; undisturbed it is {undisturbed[other]:R}");
        }
    }

    private async Task SubmitAsync(string name, CancellationToken ct)
    {
        var manifest = JsonNode.Parse(ManifestReader.Read(Manifest(name)).Single().ToJsonString())!.AsObject();
        await cluster.Connection.TrainingJobs().ApplyAsync(ChaosCluster.Namespace, name, manifest, "phi-chaos", null, ct);
        await TrainsAsync(name, 2, ct);
    }

    private async Task<FaultOutcome> DisturbAsync(string name, TrainingJob settled, Fault fault, CancellationToken ct)
    {
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

        var mostLost = fault.MostLostSteps ?? 2 * EverySteps;
        if (lost > mostLost)
        {
            throw new ChaosException($"'{fault.Name}' may cost at most {mostLost} steps; it cost {lost}");
        }
    }

    /// <summary>The job's state once it runs, with every pod placed, and its status has caught up; null: it is near its end.</summary>
    private async Task<TrainingJob?> SettledAsync(string name, CancellationToken ct)
    {
        var step = (await TrainsAsync(name, 0, ct)).Status!.Progress!.Step!.Value;
        if (step + 2 * EverySteps > steps - LastSteps)
        {
            return null;
        }

        // Steps between two faults: more than a checkpoint's interval now and then, less at other times.
        var job = await TrainsAsync(name, step + random.Next(5, 2 * EverySteps), ct);
        return job.Status!.Progress!.Step > steps - LastSteps ? null : job;
    }

    /// <summary>Waits until the job trains at a step, or has succeeded; its status says which.</summary>
    private async Task<TrainingJob> TrainsAsync(string name, long step, CancellationToken ct)
    {
        TrainingJob? job = null;
        await cluster.UntilAsync(async () =>
        {
            job = await cluster.JobAsync(name, ct);
            ThrowIfFailed(name, job);
            return job?.Status is { Phase: TrainingPhase.Succeeded }
                || (job?.Status is { Phase: TrainingPhase.Running, Placement: { } placement, Progress.Step: { } at } status && placement.Count == status.ReadyReplicas && placement.TrueForAll(place => place.Node is not null) && at >= step);
        }, $"training of {name} at step {step}", ct, RecoveryPatience);
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
        ThrowIfFailed(name, job);
        var steps = await Curve.ReadAsync(cluster.Telemetry, job!.Metadata.Uid!, ct);
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

    private void ThrowIfFailed(string name, TrainingJob? job)
    {
        if (job?.Status is { Phase: TrainingPhase.Failed } status)
        {
            throw new ChaosException($"{name} failed: {status.Conditions?.Find(condition => condition.Type == TrainingConditions.Finished)?.Message}\n{cluster.Evidence()}");
        }
    }

    private string Manifest(string name) => string.Create(CultureInfo.InvariantCulture, $$$"""
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
            batch: { global: 8, micro: 1 }
            steps: {{{steps}}}
            optimizer: { adamW: { learningRate: 3.0e-3 } }
            schedule: { linear: { warmupSteps: 5 } }
            seed: 7
          checkpoint: { everySteps: {{{EverySteps}}} }
          recovery: { maxRestarts: 100000, backoff: 100ms, restartWindow: 10s, hangTimeout: 8s }
        """);
}
