using Phi.Checkpoints.Layout;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Data.Tokenizers;
using Phi.Trainer.Ranks;
using Phi.Trainer.Ranks.Saving;
using Phi.Training.Data;
using Phi.Training.Loop;
using Phi.Training.Optimizer;
using Phi.Training.Zero;

namespace Phi.Trainer.Tests;

/// <summary>Attempts of one run at any number of ranks, each rank a thread, that hand their state on through checkpoints in a folder.</summary>
internal sealed class ElasticRun(TrainingConfiguration configuration, string root)
{
    public static TrainingConfiguration Configuration { get; } = new()
    {
        Model = new ModelConfiguration { Layers = 2, HiddenSize = 24, Heads = 2, RotaryDim = 8, MlpSize = 40, VocabularySize = 257, SequenceLength = 24 },
        GlobalBatch = 8,
        MicroBatch = 2,
        Schedule = new LinearSchedule(3, 60),
        Optimizer = new AdamW { LearningRate = 3e-3f },
        Dropout = 0.1,
        Seed = 5,
    };

    /// <summary>What the ranks said while they loaded.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Loads, keeps what was loaded, takes steps, keeps what is there then, and saves it.</summary>
    /// <param name="before">Called on each rank before it saves.</param>
    public Attempt Run(int world, int steps, ZeroConfiguration? zero = null, int number = 1, int keepLast = 10, Action<int>? before = null)
    {
        var attempt = new Attempt(steps);
        Exception? failure = null;
        var threads = InProcessGroup.Create(world).Select((group, rank) => new Thread(() =>
        {
            try
            {
                Train(attempt, group, zero ?? configuration.Zero, steps, number, keepLast, before);
            }
            catch (Exception e)
            {
                lock (attempt)
                {
                    attempt.Failures.Add(e);
                    failure ??= e;
                }

                group.DisposeAsync().AsTask().GetAwaiter().GetResult();
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return before is not null || failure is null ? attempt : throw new InvalidOperationException(failure.Message, failure);
    }

    private void Train(Attempt attempt, ICommunicator group, ZeroConfiguration zero, int steps, int number, int keepLast, Action<int>? before)
    {
        var tokens = new RecordedTokens();
        var mine = configuration with { Zero = zero };
        using var loop = new TrainingLoop(mine, group, new TokenDataset(tokens));
        var checkpoints = new RankCheckpoints(CheckpointStore.InFolder(root), null, group, loop, RankStarts.Of(group.Rank, group.WorldSize, number), new CheckpointMatch(mine, TokenizerFiles.Bytes, "data"), keepLast, TimeProvider.System);
        checkpoints.Load(line =>
        {
            lock (Log)
            {
                Log.Add(line);
            }
        });
        attempt.FromStep = loop.CompletedSteps;
        attempt.Loaded.Add(loop);
        for (var step = 0; step < steps; step++)
        {
            tokens.Starts.Clear();
            attempt.Losses[step] = loop.Step().Loss;
            attempt.AddSamples(step, tokens.Starts);
        }

        attempt.Saved.Add(loop);
        before?.Invoke(group.Rank);
        using var leave = new LeaveRequest(TimeProvider.System);
        using var saver = new RankSaver(checkpoints, group, loop, _ => { }, _ => { }, TimeProvider.System);
        saver.SaveNow(leave);
    }

    /// <summary>What all ranks of an attempt saw.</summary>
    public sealed class Attempt(int steps)
    {
        private readonly List<long>[] _samples = [.. Enumerable.Range(0, steps).Select(_ => new List<long>())];

        public float[] Losses { get; } = new float[steps];

        /// <summary>Where the windows of each step began, in ascending order.</summary>
        public IEnumerable<long[]> Samples => _samples.Select(starts => starts.Order().ToArray());

        public long FromStep { get; set; }

        public WholeState Loaded { get; } = new();

        public WholeState Saved { get; } = new();

        public List<Exception> Failures { get; } = [];

        public void AddSamples(int step, IEnumerable<long> starts)
        {
            lock (_samples)
            {
                _samples[step].AddRange(starts);
            }
        }
    }
}
