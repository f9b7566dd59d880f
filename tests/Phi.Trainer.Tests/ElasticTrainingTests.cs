using CsCheck;
using Phi.Checkpoints;
using Phi.Checkpoints.Stores;
using Phi.Collectives;
using Phi.Training.Loop;
using Phi.Training.Zero;

namespace Phi.Trainer.Tests;

/// <summary>A run goes on at another number of ranks and another zero stage as if nothing had happened.</summary>
[Collection("torch")]
public sealed class ElasticTrainingTests : IDisposable
{
    private static readonly ZeroConfiguration Feedback = new() { RanksPerNode = 1, WeightBlock = 64, SecondaryShards = true, Gradients = new GradientQuantization(4, 4, 64, ErrorFeedback: true) };
    private readonly string _root = Directory.CreateTempSubdirectory("phi elastic ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(3, 3, 3, 3)]
    [InlineData(3, 0, 1, 2)]
    public void Train_FourThenThreeThenEightThenFourRanks_FollowsTheUndisturbedRun(params int[] stages)
    {
        var whole = NewRun("whole").Run(4, 20);
        var run = NewRun("elastic");
        var losses = new List<float>();
        var samples = new List<long[]>();
        ElasticRun.Attempt? before = null;
        foreach (var (i, world) in new[] { 4, 3, 8, 4 }.Index())
        {
            var attempt = run.Run(world, 5, new ZeroConfiguration { Stage = stages[i] }, number: i + 1);
            Assert.Equal(5 * i, attempt.FromStep);
            Assert.Equal(before?.Saved.Bits ?? attempt.Loaded.Bits, attempt.Loaded.Bits);
            losses.AddRange(attempt.Losses);
            samples.AddRange(attempt.Samples);
            before = attempt;
        }

        Assert.Equal(whole.Samples, samples);
        Assert.All(whole.Losses.Zip(losses), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 1e-5 * pair.First));
        Assert.Equal(whole.Losses[..5], losses[..5]);
        Assert.Contains(run.Log, line => line.StartsWith("checkpoint of step 5 is resharded: it has 4 shards, and this job cuts its state into ", StringComparison.Ordinal));
    }

    [Fact]
    public void SaveLoad_AnyWorldsStagesAndPrecisions_IsTheIdentity() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[0, 3], Gen.Int[1, 9], Gen.Int[0, 3], Gen.Bool).Sample((from, fromStage, to, toStage, isHalf) =>
        {
            var run = NewRun(Guid.NewGuid().ToString("N"), ElasticRun.Configuration with { Precision = isHalf ? ComputePrecision.Fp16 : ComputePrecision.Fp32 });
            var saved = run.Run(from, 2, Zero(from, fromStage));
            var loaded = run.Run(to, 0, Zero(to, toStage));

            Assert.Equal(2, loaded.FromStep);
            Assert.Equal(saved.Saved.Bits, loaded.Loaded.Bits);
            Assert.Equal(saved.Saved.LossScale, loaded.Loaded.LossScale);
            Assert.Equal(isHalf ? 1 : 0, loaded.Loaded.LossScale.Count());
        }, iter: 12, threads: 1);

    [Fact]
    public void Load_WithErrorFeedback_KeepsTheErrorsOfTheSameCutAndResetsThoseOfAnother()
    {
        var run = NewRun("feedback");
        var saved = run.Run(4, 3, Feedback);
        var same = run.Run(4, 0, Feedback, number: 2);

        Assert.True(saved.Saved.HasErrors);
        Assert.Equal(saved.Saved.Errors, same.Loaded.Errors);
        Assert.Empty(run.Log);
        var other = run.Run(3, 2, Feedback, number: 3);
        Assert.Equal(saved.Saved.Bits, other.Loaded.Bits);
        Assert.False(other.Loaded.HasErrors);
        Assert.Contains("checkpoint of step 3 has no errors of gradients' quantisation that fit this job's 3 shards: error feedback starts again from zero", run.Log);
        Assert.All(other.Losses, loss => Assert.True(float.IsFinite(loss)));
    }

    [Fact]
    public void Load_OneRanksPartOfTheNewestIsDamaged_AllGoBackToTheOneBefore()
    {
        var run = NewRun("damaged");
        var older = run.Run(4, 2);
        run.Run(4, 2, number: 2);
        Damage("damaged", 4, "shard-00003-*.safetensors");

        var loaded = run.Run(3, 0, number: 3);

        Assert.Equal(2, loaded.FromStep);
        Assert.Equal(older.Saved.Bits, loaded.Loaded.Bits);
        Assert.StartsWith("checkpoint of step 4 is not used: shard-00003-of-00004-attempt-2.safetensors of step 4 is damaged", Assert.Single(run.Log, line => line.Contains("not used", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, new long[] { 3 })]
    [InlineData(2, new long[] { 4 })]
    public void Save_AfterTheNewestWasDamaged_TakesItsPlace(int steps, long[] kept)
    {
        var run = NewRun("damaged");
        run.Run(2, 2);
        run.Run(2, 2, number: 2);
        Damage("damaged", 4, "shard-00001-*.safetensors");

        var next = run.Run(2, steps, number: 3, keepLast: 1);

        Assert.Equal(kept, CheckpointStore.InFolder(Path.Combine(_root, "damaged")).CommittedSteps());
        Assert.Equal(next.Saved.Bits, run.Run(3, 0, number: 4).Loaded.Bits);
        Assert.Single(run.Log, line => line.Contains("not used", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_EveryCheckpointIsDamaged_BeginsTheRunAnew()
    {
        var whole = NewRun("whole").Run(3, 2);
        var run = NewRun("damaged");
        run.Run(2, 2);
        Damage("damaged", 2, "shard-00001-*.safetensors");

        var again = run.Run(3, 2, number: 2);

        Assert.Equal(0, again.FromStep);
        Assert.Equal(whole.Losses, again.Losses);
    }

    [Fact]
    public void Save_AfterANewerAttemptBegan_CommitsNothingAndEndsEveryRank()
    {
        var run = NewRun("superseded");
        var store = CheckpointStore.InFolder(Path.Combine(_root, "superseded"));

        var stale = run.Run(2, 1, number: 1, before: rank =>
        {
            if (rank == 0)
            {
                store.Begin("run", 2);
            }
        });

        Assert.Single(stale.Failures.OfType<SupersededException>());
        Assert.Single(stale.Failures.OfType<CollectiveException>());
        Assert.Empty(store.CommittedSteps());
        Assert.Throws<InvalidOperationException>(() => run.Run(1, 1, number: 1));
        Assert.Equal(0, run.Run(1, 1, number: 2).FromStep);
        Assert.Equal([1], store.CommittedSteps());
    }

    /// <summary>Nodes of two ranks where the world allows it: their shards are in another order than their ranks.</summary>
    private static ZeroConfiguration Zero(int world, int stage) => new() { Stage = stage, RanksPerNode = world % 2 == 0 ? 2 : 1 };

    private void Damage(string run, long step, string shard)
    {
        var path = Assert.Single(Directory.GetFiles(CheckpointStore.InFolder(Path.Combine(_root, run)).UriOf(step).LocalPath, shard));
        var bytes = File.ReadAllBytes(path);
        bytes[^5000] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private ElasticRun NewRun(string name, TrainingConfiguration? configuration = null) => new(configuration ?? ElasticRun.Configuration, Path.Combine(_root, name));
}
