using System.Text;
using System.Text.Json;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Data;
using Phi.Data.Tokenizers;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>Saves and loads this rank's shards together with the other ranks; every method is collective.</summary>
/// <param name="data">Digest of the tokens to train on; see <see cref="CheckpointManifest.Data"/>.</param>
internal sealed class RankCheckpoints(FolderCheckpointStore store, ICommunicator group, TrainingLoop loop, RankStart start, TrainingConfiguration configuration, TokenizerFiles tokenizer, string data, TimeProvider time)
{
    private const int EntryBytes = 1024;

    /// <summary>The newest step saved or loaded; -1 before.</summary>
    public long Step { get; private set; } = -1;

    /// <summary>Continues from the newest good checkpoint, if there is one.</summary>
    /// <exception cref="CheckpointException">The checkpoint has another shape than this job.</exception>
    public unsafe void Load(Action<string> warn)
    {
        var step = -1L;
        if (group.Rank == 0)
        {
            step = store.NewestGood((bad, problem) => warn($"checkpoint of step {bad} is not used: {problem.Message}"))?.Step ?? -1;
        }

        group.Broadcast((nint)(&step), sizeof(long), 0).Wait();
        if (step < 0)
        {
            return;
        }

        var manifest = store.ReadManifest(step);
        if (manifest.WorldSize != loop.Shards)
        {
            throw new CheckpointException($"checkpoint of step {step} has {manifest.WorldSize} shards and this job has {loop.Shards}; this version loads it with as many ranks and the same zero.stage alone");
        }

        CheckModel(manifest);
        CheckTokenizer(step);
        CheckData(manifest);
        CheckShards(manifest);
        using var state = loop.State();
        // Before the first step nothing is rounded off yet: the errors of a feedback are zero, as this job has them, and an imported model has none.
        store.ReadShard(step, manifest.Shards[loop.ShardIndex], step > 0 ? Tensors(state) : Tensors(state).FindAll(tensor => ShardLayout.IsUnitState(tensor.Name)));
        state.Apply();
        loop.CompletedSteps = step;
        Step = step;
    }

    /// <summary>Every rank writes its shard, then rank 0 commits. Rank 0 gets the event; the others null.</summary>
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
            foreach (var (name, content) in tokenizer.Contents)
            {
                store.WriteFile(step, name, content);
            }

            store.Commit(new CheckpointManifest
            {
                Step = step,
                RunId = start.RunId,
                Attempt = start.Assignment.Attempt,
                Seed = configuration.Seed,
                WorldSize = loop.Shards,
                Time = time.GetUtcNow(),
                Data = data,
                Model = configuration.Model.ToDimensions(),
                Units = Regions(),
                Shards = shards,
            });
            store.Retain(keepLast);
            saved = new CheckpointEvent
            {
                Step = step,
                Time = time.GetUtcNow(),
                Uri = new Uri(store.FolderOf(step)).AbsoluteUri,
                Bytes = shards.Sum(shard => shard.Bytes),
                Seconds = time.GetElapsedTime(started).TotalSeconds,
            };
        }

        // Nobody leaves before the commit: a rank that has left would let its pod end in the middle of it.
        group.Barrier().Wait();
        Step = step;
        return saved;
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

    private void CheckModel(CheckpointManifest manifest)
    {
        var mine = configuration.Model.ToDimensions();
        foreach (var (name, value) in manifest.Model)
        {
            if (mine.TryGetValue(name, out var wanted) && wanted != value)
            {
                throw new CheckpointException($"checkpoint of step {manifest.Step} has model.{name} {value} and this job {wanted}; keep the model, or save to another folder");
            }
        }

        if (manifest.Seed != configuration.Seed)
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} has seed {manifest.Seed} and this job {configuration.Seed}; keep the seed, or save to another folder");
        }
    }

    private void CheckTokenizer(long step)
    {
        try
        {
            // A checkpoint without one is of bytes, or an import from a folder whose tokenizer's files were of other kinds: the vocabulary tells which.
            var saved = TokenizerFiles.TryRead(store.FolderOf(step)) ?? (configuration.Model.VocabularySize == TokenizerFiles.Bytes.Tokenizer.VocabularySize ? TokenizerFiles.Bytes : null);
            if (saved is not null && saved.Digest != tokenizer.Digest)
            {
                throw new CheckpointException($"checkpoint of step {step} was trained with another tokenizer ({saved.Kind}) than this job's ({tokenizer.Kind}); keep the tokenizer, or save to another folder");
            }
        }
        catch (DataException e)
        {
            throw new CheckpointException($"checkpoint of step {step}: {e.Message}", e);
        }
    }

    private void CheckData(CheckpointManifest manifest)
    {
        if (manifest.Data is { } saved && saved != data)
        {
            throw new CheckpointException($"checkpoint of step {manifest.Step} was trained on data of the digest {Short(saved)} and data.sources make {Short(data)}; restore the sources, or save to another folder");
        }

        static string Short(string digest) => digest[..Math.Min(16, digest.Length)];
    }

    private void CheckShards(CheckpointManifest manifest)
    {
        foreach (var (saved, mine) in manifest.Units.Zip(Regions()))
        {
            if (saved.ShardLength != mine.ShardLength)
            {
                throw new CheckpointException($"checkpoint of step {manifest.Step} has shards of {saved.ShardLength} elements of {saved.Name} and this job of {mine.ShardLength}: they are cut to the largest of zero.quantizedWeights.blockSize and zero.quantizedGradients.blockSize; keep those of the job that saved it, import again with that --block-size, or save to another folder");
            }
        }
    }

    private List<UnitEntry> Regions() => [.. loop.Units.SelectMany(unit => ShardLayout.Regions(unit.Layout, unit.MatrixShard, unit.VectorShard))];

    private sealed record IndexedEntry(int Index, ShardEntry Shard);
}
