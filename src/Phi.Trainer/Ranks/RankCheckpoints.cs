using System.Text.Json;
using System.Text.Json.Serialization;
using Phi.Api.Agent;
using Phi.Api.Metadata;
using Phi.Checkpoints;
using Phi.Checkpoints.Format;
using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Resharding;
using Phi.Checkpoints.Retention;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Trainer.Replicas;
using Phi.Training.Loop;

namespace Phi.Trainer.Ranks;

/// <summary>Loads this rank's shard together with the other ranks, and holds what its saves (<see cref="Saving.RankSaver"/>) put into the store.</summary>
/// <param name="ring">Null: no copies are kept in memory.</param>
internal sealed class RankCheckpoints(CheckpointStore store, ReplicaRing? ring, ICommunicator group, TrainingLoop loop, RankStart start, CheckpointMatch match, int keepLast, TimeProvider time)
{
    private readonly HashSet<long> _damaged = [];

    /// <summary>Of rank 0; saved and loaded with each checkpoint.</summary>
    public StepHistory History { get; } = new();

    /// <summary>Whether this rank writes a shard: in stage 0 every rank holds all there is, and the first one writes it.</summary>
    public bool IsWriter => group.Rank == 0 || loop.Shards > 1;

    /// <summary>The step loaded; -1 if none was.</summary>
    public long Step { get; private set; } = -1;

    /// <summary>What it was loaded from, if that was copies in memory.</summary>
    public ReplicaCheckpoint? Replica { get; private set; }

    /// <summary>
    /// Begins the attempt, then continues from the newest checkpoint, of the store or in the pods' memories, that every rank could read its
    /// part of, if there is one, whatever the ranks and the zero.stage that saved it. Collective. A damaged one is told of by the rank that
    /// found it (<see cref="RankEvent.Skipped"/>), and the one before is tried.
    /// </summary>
    /// <exception cref="CheckpointException">The checkpoint is of another job than this.</exception>
    /// <exception cref="SupersededException">On rank 0: a newer attempt has begun.</exception>
    public void Load(Action<string> log, Action<RankEvent>? emit = null)
    {
        var candidates = new Queue<Candidate>();
        if (group.Rank == 0)
        {
            store.Begin(start.RunId, start.Assignment.Attempt);
            candidates = new Queue<Candidate>(Candidates(log).OrderByDescending(candidate => candidate.Step));
        }

        while (Next(candidates) is { } candidate)
        {
            if (TryLoad(candidate, problem => Skip(candidate, problem, log, emit), log))
            {
                loop.CompletedSteps = candidate.Step;
                (Step, Replica) = (candidate.Step, candidate.Replica);
                return;
            }

            if (candidate.Replica is null)
            {
                _damaged.Add(candidate.Step);
            }

            loop.Restart();
        }
    }

    /// <summary>Steps up to the loaded one that the checkpoint remembers; none on other ranks than 0.</summary>
    public IReadOnlyList<(int Attempt, StepEvent Step)> Recall()
    {
        try
        {
            return group.Rank == 0 && Step > 0 && (Replica is { } replica ? ring!.ReadHistory(replica) : store.TryReadFile(Step, StepHistory.File)) is { } lines ? History.Read(lines, Step) : [];
        }
        catch (Exception e) when (e is CheckpointException or StorageException)
        {
            // Curves alone depend on it.
            return [];
        }
    }

    /// <summary>Steps of checkpoints that could not be read; see <see cref="CheckpointStore.Commit"/>.</summary>
    public IReadOnlyCollection<long> Damaged => _damaged;

    public void ForgetDamaged() => _damaged.Clear();

    public string UriOf(long step) => store.UriOf(step).AbsoluteUri;

    /// <summary>This rank's shard. Not collective; may run beside training, as may <see cref="Commit"/> and <see cref="Retain"/>.</summary>
    /// <exception cref="StorageException">It is not written.</exception>
    public ShardEntry WritePart(long step, HostState state, CancellationToken cancellationToken) => WritePart(store, step, state, cancellationToken);

    /// <inheritdoc cref="WritePart(long, HostState, CancellationToken)"/>
    /// <param name="into">Takes it instead of the job's store.</param>
    public ShardEntry WritePart(CheckpointStore into, long step, HostState state, CancellationToken cancellationToken) =>
        into.WriteShard(step, start.Assignment.Attempt, loop.ShardIndex, loop.Shards, Tensors(state), cancellationToken);

    /// <summary>Removes this rank's shard of a step that was given up before its commit began: it takes room that the next one needs.</summary>
    public void DropPart(long step, Action<string> log)
    {
        try
        {
            store.DeleteShard(step, start.Assignment.Attempt, loop.ShardIndex, loop.Shards);
        }
        catch (StorageException e)
        {
            log($"the shard of step {step}, which is not saved, stays for now: {e.Message}");
        }
    }

    /// <summary>Rank 0's, when all shards are there: makes the checkpoint exist.</summary>
    /// <exception cref="StorageException">It may exist or not.</exception>
    /// <exception cref="SupersededException">A newer attempt has begun, and nothing is committed.</exception>
    public void Commit(long step, IReadOnlyList<ShardEntry> shards, IReadOnlyList<(int Attempt, StepEvent Step)> history, IReadOnlyCollection<long> damaged)
    {
        // Whoever reads the checkpoint can read and write its tokens.
        foreach (var (name, content) in match.Tokenizer.Contents)
        {
            store.WriteFile(step, name, content);
        }

        store.WriteFile(step, StepHistory.File, StepHistory.Write(history));
        store.Commit(Describe(step, shards), damaged);
    }

    /// <summary>What these shards are together.</summary>
    public CheckpointManifest Describe(long step, IReadOnlyList<ShardEntry> shards) => new()
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
    };

    /// <summary>Removes what is no longer kept. What the storage refuses now is removed another time: the checkpoint is there.</summary>
    public void Retain(Action<string> log)
    {
        try
        {
            store.Retain(new RetentionPolicy { KeepLast = keepLast, KeepEvery = start.Assignment.Spec.Checkpoint?.KeepEvery });
        }
        catch (StorageException e)
        {
            log($"checkpoints that are no longer kept stay for now: {e.Message}");
        }
    }

    /// <summary>Copies come first: of the same step they are nearer.</summary>
    private IEnumerable<Candidate> Candidates(Action<string> log) =>
        (ring?.Find(log) ?? []).Select(replica => new Candidate(replica.Manifest.Step, replica)).Concat(store.CommittedSteps().Select(step => new Candidate(step, null)));

    /// <summary>What rank 0 tries next; null when it has none.</summary>
    private Candidate? Next(Queue<Candidate> candidates)
    {
        var next = group.OfFirst(candidates.TryDequeue(out var candidate) ? JsonSerializer.SerializeToUtf8Bytes(candidate, PhiJson.Options) : []);
        return next.Length == 0 ? null : JsonSerializer.Deserialize<Candidate>(next, PhiJson.Options);
    }

    /// <summary>False, on every rank, if any of them cannot read what it needs; its state is then partly overwritten.</summary>
    private bool TryLoad(Candidate candidate, Action<CheckpointException> skip, Action<string> log)
    {
        var replica = candidate.Replica;
        var manifest = replica?.Manifest;
        if (manifest is null && !group.TryOnAll(() => manifest = store.ReadManifest(candidate.Step), skip))
        {
            return false;
        }

        match.Check(manifest!, replica is null ? store : null);
        var plan = ReshardPlan.Of(manifest!, Regions(), loop.ShardIndex, loop.Shards);
        var files = replica is null ? store : ring!.FilesOf(replica);
        var isWhole = true;
        using var state = loop.State();
        if (!group.TryOnAll(() => isWhole = CheckpointLoader.Load(files, manifest!, plan, Tensors(state)), skip))
        {
            return false;
        }

        state.Apply();
        if (group.Rank == 0 && !plan.IsSameCut)
        {
            log($"{candidate.Name} is resharded: it has {manifest!.WorldSize} shards, and this job cuts its state into {loop.Shards}");
        }

        if (group.Rank == 0 && !isWhole)
        {
            log($"{candidate.Name} has no errors of gradients' quantisation that fit this job's {loop.Shards} shards: error feedback starts again from zero");
        }

        return true;
    }

    /// <summary>Of copies in memory the log alone tells: the job's checkpoints are as good as before.</summary>
    private void Skip(Candidate candidate, CheckpointException problem, Action<string> log, Action<RankEvent>? emit)
    {
        log($"{candidate.Name} is not used: {problem.Message}");
        if (candidate.Replica is null)
        {
            emit?.Invoke(new RankEvent.Skipped(new SkippedCheckpoint { Step = candidate.Step, Time = time.GetUtcNow(), Message = problem.Message }));
        }
    }

    private static unsafe List<ShardTensor> Tensors(HostState state) => [.. state.Tensors.Select(tensor => new ShardTensor(tensor.Name, (float*)tensor.Values, tensor.Length))];

    private List<UnitEntry> Regions() => [.. loop.Units.SelectMany(unit => ShardLayout.Regions(unit.Layout, unit.MatrixShard, unit.VectorShard))];

    /// <param name="Replica">Null: a checkpoint of the store.</param>
    private sealed record Candidate(long Step, ReplicaCheckpoint? Replica)
    {
        [JsonIgnore]
        public string Name => Replica is null ? $"checkpoint of step {Step}" : $"copy in memory of step {Step}";
    }
}
