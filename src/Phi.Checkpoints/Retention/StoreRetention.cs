using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Retention;

/// <summary>A store's retention: what it holds, what would go by a policy, pins, and the removal itself. One thread at a time.</summary>
public sealed class StoreRetention(CheckpointStore store)
{
    private readonly StoreScan _scan = new(store);

    /// <summary>What the store holds, newest first.</summary>
    public IReadOnlyList<StoredStep> Steps() => [.. _scan.Read().Steps.OrderByDescending(step => step.Step)];

    /// <summary>What would go and what stays, newest first.</summary>
    public IReadOnlyList<RetentionDecision> Plan(RetentionPolicy policy) => RetentionPlan.Of(policy, _scan.Read().Steps, Now());

    /// <summary>The time by the storage's clock.</summary>
    public DateTimeOffset Now() => StorageClock.Read(store.Storage);

    /// <summary>Removes what the policy does not keep. Right after a commit, whose manifest tells the storage's time.</summary>
    /// <returns>What was removed and what stayed, newest first.</returns>
    public IReadOnlyList<RetentionDecision> ApplyAfterCommit(RetentionPolicy policy)
    {
        var (steps, newest) = _scan.Read();
        return Apply(RetentionPlan.Of(policy, steps, newest), steps, newest);
    }

    /// <summary>Removes what the policy does not keep.</summary>
    /// <returns>What was removed and what stayed, newest first.</returns>
    public IReadOnlyList<RetentionDecision> Apply(RetentionPolicy policy)
    {
        var (steps, now) = (_scan.Read().Steps, Now());
        return Apply(RetentionPlan.Of(policy, steps, now), steps, now);
    }

    /// <summary>Removes steps that were never committed, and shards beside committed checkpoints, after the grace; checkpoints stay.</summary>
    public IReadOnlyList<RetentionDecision> RemoveOrphans(TimeSpan grace)
    {
        var (steps, now) = (_scan.Read().Steps, Now());
        var plan = RetentionPlan.Of(new RetentionPolicy { KeepLast = int.MaxValue, OrphanGrace = grace }, steps, now);
        return Apply([.. plan.Where(decision => decision.Kind != RetainedKind.Checkpoint)], steps, now);
    }

    /// <summary>Keeps a checkpoint whatever the policy says. A pin that is there is replaced.</summary>
    /// <exception cref="CheckpointException">There is no checkpoint of that step.</exception>
    public void Pin(long step, CheckpointPin pin)
    {
        _ = store.ReadManifest(step);
        store.WriteFile(step, StepFiles.Pin, JsonSerializer.SerializeToUtf8Bytes(pin, PhiJson.Options));
    }

    /// <summary>False if it is not pinned.</summary>
    /// <exception cref="CheckpointException">There is no checkpoint of that step.</exception>
    public bool Unpin(long step)
    {
        _ = store.ReadManifest(step);
        var isPinned = store.TryReadFile(step, StepFiles.Pin) is not null;
        store.DeleteFile(step, StepFiles.Pin);
        return isPinned;
    }

    private List<RetentionDecision> Apply(IReadOnlyList<RetentionDecision> plan, IReadOnlyList<StoredStep> steps, DateTimeOffset now)
    {
        var done = new List<RetentionDecision>();
        foreach (var decision in plan)
        {
            done.Add(decision.IsRemoved ? Remove(decision, steps.First(step => step.Step == decision.Step), now) : decision);
        }

        return done;
    }

    private RetentionDecision Remove(RetentionDecision decision, StoredStep step, DateTimeOffset now)
    {
        if (decision.Kind == RetainedKind.Leftovers)
        {
            foreach (var file in step.Leftovers)
            {
                store.Storage.Delete(file.Name);
            }

            return decision;
        }

        // Somebody may have begun to use it since the store was listed.
        var (pin, uses) = _scan.Markers(step.Step);
        if (pin is not null || uses.Any(use => use.Expires > now))
        {
            return decision with { IsRemoved = false, Reason = pin is null ? "InUse" : "Pinned", Message = "it was pinned, or began to be used, at the last moment" };
        }

        store.Remove(step.Step);
        return decision;
    }
}
