using System.Globalization;
using Phi.Api.Agent;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>Begins a run with a checkpoint of another one, as <c>spec.phi.initialize</c> asks, together with the other ranks.</summary>
internal sealed class RankInitialization(InitializeAssignment source, RankStart start, ICommunicator group, TrainingLoop loop, CheckpointMatch match, TimeProvider time)
{
    private const string Everything = "everything";

    /// <summary>Loads the step that was asked for, or the newest that every rank could read its part of; marked as in use meanwhile. Collective.</summary>
    /// <exception cref="CheckpointException">There is none, or it does not fit this job.</exception>
    public void Load(Action<string> log)
    {
        var (opened, named) = RankStorage.OpenSource(start, source);
        using var store = opened;
        var wanted = named ?? source.Step;
        var candidates = group.Rank == 0 ? new Queue<long>(store.CommittedSteps().Where(step => wanted is null || step == wanted)) : [];
        // -1: rank 0 has no more.
        while (group.OfFirst(candidates.TryDequeue(out var next) ? next : -1) is >= 0 and var step)
        {
            if (TryLoad(store, step, log))
            {
                return;
            }

            loop.Restart();
        }

        throw new CheckpointException($"spec.phi.initialize: {source.Location} holds no good checkpoint{(wanted is null ? "" : $" of step {wanted}")}; name another source{(wanted is null ? "" : " or step")}");
    }

    private bool TryLoad(CheckpointStore store, long step, Action<string> log)
    {
        using var use = group.Rank == 0 ? CheckpointUse.Begin(store, step, $"run {start.RunId}", "it begins with it", time, log) : null;
        // Nobody reads before it is marked.
        group.Barrier().Wait();
        CheckpointManifest? manifest = null;
        if (!group.TryOnAll(() => manifest = store.ReadManifest(step), problem => Skip(step, problem, log)))
        {
            return false;
        }

        var isWhole = Check(manifest!, store);
        var plan = ReshardPlan.Of(manifest!, [.. loop.Units.SelectMany(unit => ShardLayout.Regions(unit.Layout, unit.MatrixShard, unit.VectorShard))], loop.ShardIndex, loop.Shards);
        using var state = loop.State();
        if (!group.TryOnAll(() => Fill(store, manifest!, plan, state, isWhole), problem => Skip(step, problem, log)))
        {
            return false;
        }

        state.Apply();
        loop.CompletedSteps = isWhole ? step : 0;
        if (group.Rank == 0)
        {
            log(string.Create(CultureInfo.InvariantCulture, $"begins with {(isWhole ? "weights and moments" : "the weights")} of step {step} of run {manifest!.RunId}, in {source.Location}"));
        }

        return true;
    }

    /// <summary>True: everything is taken over.</summary>
    private bool Check(CheckpointManifest manifest, CheckpointStore store)
    {
        if (source.What != Everything)
        {
            (match with { Otherwise = "name another source in spec.phi.initialize" }).CheckWeights(manifest, store);
            return false;
        }

        (match with { Otherwise = "take the weights alone (spec.phi.initialize.what: weights)" }).Check(manifest, store);
        var steps = start.Assignment.Spec.Phi?.Steps;
        return !(steps <= manifest.Step) ? true
            : throw new CheckpointException($"checkpoint of step {manifest.Step} has done this job's {steps} steps already; raise spec.phi.steps, or take the weights alone (spec.phi.initialize.what: weights)");
    }

    private static unsafe void Fill(CheckpointStore store, CheckpointManifest manifest, ReshardPlan plan, HostState state, bool isWhole)
    {
        List<ShardTensor> tensors = [.. state.Tensors.Select(tensor => new ShardTensor(tensor.Name, (float*)tensor.Values, tensor.Length))];
        if (isWhole)
        {
            _ = CheckpointLoader.Load(store, manifest, plan, tensors);
        }
        else
        {
            CheckpointLoader.LoadWeights(store, manifest, plan, tensors);
        }
    }

    private void Skip(long step, CheckpointException problem, Action<string> log) => log($"checkpoint of step {step} in {source.Location} is not used: {problem.Message}");
}
