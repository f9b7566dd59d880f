using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Collectives;
using Phi.Trainer.Ranks;
using Phi.Trainer.Ranks.Saving;
using Phi.Training.Loop;

namespace Phi.Trainer.Replicas;

/// <summary>Renews the copies of this rank's shard, together with the other ranks and beside training; README.md says how.</summary>
internal sealed class RankReplicas(ReplicaRing ring, RankCheckpoints checkpoints, ICommunicator group, TrainingLoop loop, RankStart start, Action<string> log, TimeProvider time) : IDisposable
{
    private readonly SavingThread _thread = new(time);
    private readonly CancellationTokenSource _abandoned = new();
    private readonly long _every = start.Assignment.Spec.Checkpoint!.InMemory!.EverySteps!.Value;

    /// <summary>The step whose copies are all there, as all ranks know; -1 if none is.</summary>
    private long _whole = checkpoints.Replica?.Manifest.Step ?? -1;
    private long _step = -1;
    private BackgroundWork<bool>? _work;

    /// <summary>At the end of a step that is good. Begins a copy if one is due, and the one before has ended on every rank; else the next one may. Collective.</summary>
    public void Renew(long step)
    {
        if (step % _every != 0)
        {
            return;
        }

        _work?.ThrowIfBroken();
        var states = group.Gather(_work?.State ?? WorkState.Done);
        if (states.Contains(WorkState.Pending))
        {
            return;
        }

        if (_work is not null && !states.Contains(WorkState.Failed))
        {
            _whole = _step;
        }
        else if (_work?.Problem is { } problem)
        {
            log($"step {_step} is not copied into memory: {problem.Message}");
        }

        var (whole, history) = (_whole, checkpoints.History.Entries());
        var state = checkpoints.IsWriter ? loop.Snapshot() : null;
        _step = step;
        _work = _thread.Start(() =>
        {
            using (state)
            {
                return Write(step, whole, state, history);
            }
        });
    }

    /// <summary>Gives up what is being copied: the copies before it are still there.</summary>
    public void Dispose()
    {
        _abandoned.Cancel();
        _thread.Dispose();
    }

    private bool Write(long step, long whole, HostState? state, IReadOnlyList<(int Attempt, StepEvent Step)> history)
    {
        if (start.Rank == start.Assignment.FirstRank)
        {
            ring.Own.Keep([whole, step]);
        }

        if (state is null)
        {
            return true;
        }

        var part = new ReplicaPart(loop.ShardIndex, checkpoints.Describe(step, [checkpoints.WritePart(ring.Own.Store, step, state, _abandoned.Token)]), group.Rank == 0 ? $"attempt-{start.Assignment.Attempt}-{StepHistory.File}" : null);
        if (part.History is { } file)
        {
            ring.Own.Store.WriteFile(step, file, StepHistory.Write(history));
        }

        ring.Own.Store.WriteFile(step, part.File, JsonSerializer.SerializeToUtf8Bytes(part, PhiJson.Options));
        foreach (var name in ring.Next is null ? [] : part.Files.Select(file => ReplicaFolder.NameOf(step, file)))
        {
            ring.Next!.Put(name, start.Assignment.Attempt, ring.Own.PathOf(name), _abandoned.Token);
        }

        return true;
    }
}
