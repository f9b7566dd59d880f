using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Collectives;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks.Saving;

/// <summary>Saves while training goes on, one save at a time, together with the other ranks' savers; README.md has the phases. Its public methods but <see cref="Dispose"/> are collective.</summary>
/// <param name="emit">Called on both threads.</param>
internal sealed class RankSaver(RankCheckpoints checkpoints, ICommunicator group, TrainingLoop loop, Action<RankEvent> emit, Action<string> log, TimeProvider time) : IDisposable
{
    private const int EntryBytes = 1024;
    private readonly SavingThread _thread = new(time);
    private readonly CancellationTokenSource _abandoned = new();
    private SaveInFlight? _save;
    private TimeSpan? _partTook;
    private TimeSpan? _commitTook;

    /// <summary>Training waits for every save; for measurements.</summary>
    public bool IsSynchronous { get; init; }

    /// <summary>The newest step in the store that this attempt saved or loaded; -1 before.</summary>
    public long Step { get; private set; } = checkpoints.Replica is null ? checkpoints.Step : -1;

    /// <summary>At the end of a step: what all ranks agree on. A save in flight goes on to its next phase, if every rank is ready for it.</summary>
    /// <param name="isDue">By this rank's clock.</param>
    public StepAgreement Meet(LeaveRequest leave, bool isDue)
    {
        ThrowIfBroken();
        var notes = group.Gather(new StepNote
        {
            IsAsked = leave.IsAsked,
            IsDue = isDue,
            Part = _save?.Part?.State ?? WorkState.Pending,
            Commit = _save?.Commit?.State ?? WorkState.Pending,
            SecondsLeft = leave.SecondsLeft,
            SaveSeconds = !checkpoints.IsWriter ? 0 : (_partTook + (group.Rank == 0 ? _commitTook : TimeSpan.Zero))?.TotalSeconds ?? double.NaN,
        });
        Advance(notes);
        return StepAgreement.Of(notes);
    }

    /// <summary>Copies the state of the step that is done, and lets training go on. Waits for the save before, if it is still in flight.</summary>
    public void Begin(LeaveRequest leave)
    {
        Finish(leave);
        var step = loop.CompletedSteps;
        var save = _save = new SaveInFlight(step, new StallClock(time), time.GetTimestamp()) { History = checkpoints.History.Entries() };
        if (checkpoints.IsWriter)
        {
            var state = save.Stall.Measure(loop.Snapshot);
            save.Snapshot = save.Stall.Total;
            save.Part = _thread.Start<ShardEntry?>(() =>
            {
                using (state)
                {
                    return checkpoints.WritePart(step, state, _abandoned.Token);
                }
            });
        }
        else
        {
            save.Part = BackgroundWork<ShardEntry?>.Done(null, time);
        }

        if (IsSynchronous)
        {
            Finish(leave);
        }
    }

    /// <summary>Waits until no save is in flight: it is committed, or has failed.</summary>
    public void Finish(LeaveRequest leave)
    {
        while (_save is { } save)
        {
            _ = save.Stall.Measure(() =>
            {
                // Other ranks wait for rank 0's commit in the exchange of notes.
                save.Part!.WaitForEnd();
                save.Commit?.WaitForEnd();
                return Meet(leave, isDue: false);
            });
        }
    }

    /// <summary>Saves the step that is done, and waits until it is.</summary>
    /// <exception cref="StorageException">It is not.</exception>
    public void SaveNow(LeaveRequest leave)
    {
        Begin(leave);
        Finish(leave);
        if (Step != loop.CompletedSteps)
        {
            throw new StorageException($"step {loop.CompletedSteps} must be saved before the ranks leave, and the storage of checkpoints failed; the newest checkpoint is of step {Step}. Its error is told above: mend the storage, and the job goes on from there");
        }
    }

    /// <summary>Gives up what is written, but not a commit: with it the work of all ranks up to its step is safe.</summary>
    public void Dispose()
    {
        _abandoned.Cancel();
        _save?.Commit?.WaitForEnd();
        _thread.Dispose();
    }

    /// <summary>Of errors that another try would meet again, and of a newer attempt.</summary>
    private void ThrowIfBroken()
    {
        _save?.Part?.ThrowIfBroken();
        _save?.Commit?.ThrowIfBroken();
    }

    private void Advance(StepNote[] notes)
    {
        if (_save is not { } save)
        {
            return;
        }

        if (!save.IsCommitting)
        {
            AdvanceFromParts(save, [.. notes.Select(note => note.Part)]);
            return;
        }

        switch (notes[0].Commit)
        {
            case WorkState.Done:
                (Step, _save) = (save.Step, null);
                checkpoints.ForgetDamaged();
                _commitTook = save.Commit?.Duration;
                break;
            case WorkState.Failed:
                Drop(save, save.Commit?.Problem);
                break;
        }
    }

    private void AdvanceFromParts(SaveInFlight save, WorkState[] parts)
    {
        if (parts.Contains(WorkState.Pending))
        {
            // Also after another's failure: the copy is still being read.
            return;
        }

        if (Array.IndexOf(parts, WorkState.Failed) is >= 0 and var failed)
        {
            // One rank tells it for all.
            Drop(save, failed == group.Rank ? save.Part!.Problem : null);
            RemovePart(save);
            return;
        }

        var mine = save.Part!.Result;
        _partTook = save.Snapshot + save.Part.Duration;
        var shards = save.Stall.Measure(() => Exchange(mine));
        save.IsCommitting = true;
        if (group.Rank == 0)
        {
            IReadOnlyCollection<long> damaged = [.. checkpoints.Damaged];
            save.Commit = _thread.Start(() => Commit(save, shards, damaged));
        }
    }

    private CheckpointEvent Commit(SaveInFlight save, IReadOnlyList<ShardEntry> shards, IReadOnlyCollection<long> damaged)
    {
        checkpoints.Commit(save.Step, shards, save.History, damaged);
        var saved = new CheckpointEvent
        {
            Step = save.Step,
            Time = time.GetUtcNow(),
            Uri = checkpoints.UriOf(save.Step),
            Bytes = shards.Sum(shard => shard.Bytes),
            Seconds = time.GetElapsedTime(save.Started).TotalSeconds,
            StallSeconds = save.Stall.Total.TotalSeconds,
        };
        emit(new RankEvent.Saved(saved));
        checkpoints.Retain(log);
        return saved;
    }

    /// <param name="problem">Null: another rank tells it.</param>
    private void Drop(SaveInFlight save, StorageException? problem)
    {
        _save = null;
        if (problem is not null)
        {
            log($"step {save.Step} is not saved: {problem.Message}");
            emit(new RankEvent.Missed(new MissedCheckpoint
            {
                Step = save.Step,
                Time = time.GetUtcNow(),
                Reason = MissedCheckpoint.StorageFailed,
                Message = problem.Message,
                StallSeconds = save.Stall.Total.TotalSeconds,
            }));
        }
    }

    /// <summary>Nothing refers to it. A storage that does not answer would only hold up the next save: there retention does it.</summary>
    private void RemovePart(SaveInFlight save)
    {
        if (checkpoints.IsWriter && save.Part!.Problem is not { Fault: StorageFault.Unavailable })
        {
            _ = _thread.Start(() =>
            {
                checkpoints.DropPart(save.Step, log);
                return true;
            });
        }
    }

    /// <summary>Entries of all shards, by their index.</summary>
    private List<ShardEntry> Exchange(ShardEntry? mine) =>
    [
        .. group.Gather(mine is null ? "" : JsonSerializer.Serialize(new IndexedEntry(loop.ShardIndex, mine), PhiJson.Options), EntryBytes).Where(text => text.Length > 0)
            .Select(text => JsonSerializer.Deserialize<IndexedEntry>(text, PhiJson.Options)!).OrderBy(entry => entry.Index).Select(entry => entry.Shard),
    ];

    private sealed record IndexedEntry(int Index, ShardEntry Shard);
}
