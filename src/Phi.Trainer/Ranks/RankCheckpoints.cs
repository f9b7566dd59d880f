using System.Text;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>Saves and loads this rank's shards together with the other ranks; every method is collective.</summary>
internal sealed class RankCheckpoints(CheckpointStore store, ICommunicator group, TrainingLoop loop, RankStart start, CheckpointMatch match, TimeProvider time)
{
    private const int EntryBytes = 1024;
    private readonly HashSet<long> _damaged = [];

    /// <summary>Of rank 0; saved and loaded with each checkpoint.</summary>
    public StepHistory History { get; } = new();

    /// <summary>The newest step saved or loaded; -1 before.</summary>
    public long Step { get; private set; } = -1;

    /// <summary>
    /// Begins the attempt, then continues from the newest checkpoint that every rank could read its part of, if there is one, whatever the
    /// ranks and the zero.stage that saved it. A damaged one is told of by the rank that found it, and the one before is tried.
    /// </summary>
    /// <exception cref="CheckpointException">The checkpoint is of another job than this.</exception>
    /// <exception cref="SupersededException">On rank 0: a newer attempt has begun.</exception>
    public void Load(Action<string> log)
    {
        var candidates = new Queue<long>();
        if (group.Rank == 0)
        {
            store.Begin(start.RunId, start.Assignment.Attempt);
            candidates = new Queue<long>(store.CommittedSteps());
        }

        while (Next(candidates) is >= 0 and var step)
        {
            if (TryLoad(step, log))
            {
                loop.CompletedSteps = step;
                Step = step;
                return;
            }

            _damaged.Add(step);
            loop.Restart();
        }
    }

    /// <summary>Steps up to the loaded one that the checkpoint remembers; none on other ranks than 0.</summary>
    public IReadOnlyList<(int Attempt, StepEvent Step)> Recall()
    {
        try
        {
            return group.Rank == 0 && Step > 0 && store.TryReadFile(Step, StepHistory.File) is { } lines ? History.Read(lines, Step) : [];
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            // Curves alone depend on it.
            return [];
        }
    }

    /// <summary>Every rank writes its shard, then rank 0 commits. Rank 0 gets the event; the others null.</summary>
    /// <exception cref="SupersededException">On rank 0: a newer attempt has begun, and nothing is committed.</exception>
    public CheckpointEvent? Save(int keepLast)
    {
        var started = time.GetTimestamp();
        var step = loop.CompletedSteps;
        // In stage 0 every rank holds all there is: the first one writes it.
        var mine = group.Rank == 0 || loop.Shards > 1 ? Write(step) : null;
        var shards = Exchange(mine);
        CheckpointEvent? saved = null;
        if (group.Rank == 0)
        {
            // Whoever reads the checkpoint can read and write its tokens.
            foreach (var (name, content) in match.Tokenizer.Contents)
            {
                store.WriteFile(step, name, content);
            }

            store.WriteFile(step, StepHistory.File, History.Write());
            store.Commit(new CheckpointManifest
            {
                Step = step,
                RunId = start.RunId,
                Attempt = start.Assignment.Attempt,
                Seed = match.Configuration.Seed,
                WorldSize = loop.Shards,
                Time = time.GetUtcNow(),
                Data = match.Data,
                Model = match.Configuration.Model.ToDimensions(),
                Units = Regions(),
                Shards = shards,
            }, _damaged);
            _damaged.Clear();
            store.Retain(new RetentionPolicy { KeepLast = keepLast, KeepEvery = start.Assignment.Spec.Checkpoint?.KeepEvery });
            saved = new CheckpointEvent
            {
                Step = step,
                Time = time.GetUtcNow(),
                Uri = store.UriOf(step).AbsoluteUri,
                Bytes = shards.Sum(shard => shard.Bytes),
                Seconds = time.GetElapsedTime(started).TotalSeconds,
            };
        }

        // Nobody leaves before the commit: a rank that has left would let its pod end in the middle of it.
        group.Barrier().Wait();
        Step = step;
        return saved;
    }

    /// <summary>The step that rank 0 tries next; -1 when it has none.</summary>
    private unsafe long Next(Queue<long> candidates)
    {
        var step = candidates.TryDequeue(out var next) ? next : -1;
        group.Broadcast((nint)(&step), sizeof(long), 0).Wait();
        return step;
    }

    /// <summary>False, on every rank, if any of them cannot read what it needs; its state is then partly overwritten.</summary>
    private bool TryLoad(long step, Action<string> log)
    {
        CheckpointManifest? manifest = null;
        if (!TryOnAll(step, () => manifest = store.ReadManifest(step), log))
        {
            return false;
        }

        match.Check(manifest!, store);
        var plan = ReshardPlan.Of(manifest!, Regions(), loop.ShardIndex, loop.Shards);
        var isWhole = true;
        using var state = loop.State();
        if (!TryOnAll(step, () => isWhole = CheckpointLoader.Load(store, manifest!, plan, Tensors(state)), log))
        {
            return false;
        }

        state.Apply();
        if (group.Rank == 0 && !plan.IsSameCut)
        {
            log($"checkpoint of step {step} is resharded: it has {manifest!.WorldSize} shards, and this job cuts its state into {loop.Shards}");
        }

        if (group.Rank == 0 && !isWhole)
        {
            log($"checkpoint of step {step} has no errors of gradients' quantisation that fit this job's {loop.Shards} shards: error feedback starts again from zero");
        }

        return true;
    }

    private unsafe bool TryOnAll(long step, Action work, Action<string> log)
    {
        var failed = 0f;
        try
        {
            work();
        }
        catch (CheckpointException e)
        {
            failed = 1;
            log($"checkpoint of step {step} is not used: {e.Message}");
        }

        group.AllReduce((nint)(&failed), 1).Wait();
        return failed == 0;
    }

    /// <summary>Entries of all shards, by their index.</summary>
    private unsafe List<ShardEntry> Exchange(ShardEntry? mine)
    {
        var all = new byte[EntryBytes * group.WorldSize];
        if (mine is not null)
        {
            JsonSerializer.SerializeToUtf8Bytes(new IndexedEntry(loop.ShardIndex, mine), PhiJson.Options).CopyTo(all.AsSpan(group.Rank * EntryBytes, EntryBytes));
        }

        fixed (byte* buffer = all)
        {
            group.AllGather((nint)(buffer + group.Rank * EntryBytes), (nint)buffer, EntryBytes).Wait();
        }

        return [.. Enumerable.Range(0, group.WorldSize).Select(rank => Encoding.UTF8.GetString(all, rank * EntryBytes, EntryBytes).TrimEnd('\0')).Where(text => text.Length > 0)
            .Select(text => JsonSerializer.Deserialize<IndexedEntry>(text, PhiJson.Options)!).OrderBy(entry => entry.Index).Select(entry => entry.Shard)];
    }

    private ShardEntry Write(long step)
    {
        using var state = loop.State();
        return store.WriteShard(step, start.Assignment.Attempt, loop.ShardIndex, loop.Shards, Tensors(state));
    }

    private static unsafe List<ShardTensor> Tensors(HostState state) => [.. state.Tensors.Select(tensor => new ShardTensor(tensor.Name, (float*)tensor.Values, tensor.Length))];

    private List<UnitEntry> Regions() => [.. loop.Units.SelectMany(unit => ShardLayout.Regions(unit.Layout, unit.MatrixShard, unit.VectorShard))];

    private sealed record IndexedEntry(int Index, ShardEntry Shard);
}
