using Phi.Api.Agent;
using Phi.Checkpoints.Stores;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>A rank's process is killed at every phase of a save. The next attempt goes on from the newest good checkpoint, with the losses of a run that nobody disturbed.</summary>
public sealed class KilledSaveTests : IDisposable
{
    private const int World = 2;
    private const long Steps = 7;

    /// <summary>Before it, the save of step 2 was committed: one is in flight at a time.</summary>
    private const long KilledStep = 4;
    private static readonly Lazy<Task<string[]>> Undisturbed = new(UndisturbedAsync);
    private readonly string _root = Directory.CreateTempSubdirectory("phi killed ").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <param name="goesOnFrom">Null before the snapshot: the save before may be in flight then, or committed.</param>
    [Theory]
    [InlineData(SavePoint.BeforeSnapshot, 0, 0, null)]
    [InlineData(SavePoint.BeforeSnapshot, 1, 1, null)]
    [InlineData(SavePoint.BeforeShard, 0, 0, 2)]
    [InlineData(SavePoint.BeforeShard, 1, 1, 2)]
    [InlineData(SavePoint.DuringShard, 0, 0, 2)]
    [InlineData(SavePoint.DuringShard, 1, 1, 2)]
    [InlineData(SavePoint.DuringShard, 1, 0, 2)]
    [InlineData(SavePoint.BeforeExchange, 0, 0, 2)]
    [InlineData(SavePoint.BeforeExchange, 1, 1, 2)]
    [InlineData(SavePoint.BeforeCommit, 0, 0, 2)]
    [InlineData(SavePoint.DuringCommit, 0, 0, 2)]
    [InlineData(SavePoint.BeforeRetention, 0, 0, 4)]
    public async Task Rank_KilledInASave_IsFollowedByAnAttemptFromTheNewestGoodCheckpoint(SavePoint point, int stopping, int killed, int? goesOnFrom)
    {
        using (var first = new RankAttempt(_root, 1, World, Steps, stopping, point, KilledStep))
        {
            await first.WaitForAsync(RankHost.Reached(_root));
            if (point is SavePoint.BeforeShard or SavePoint.DuringShard)
            {
                await first.WaitForAsync(Path.Combine(_root, "run", $"step-{KilledStep:D8}", $"shard-{1 - stopping:D5}-of-{World:D5}-attempt-1.chunks"));
            }

            first.Kill(killed);
            await first.EventsAsync(killed);
        }

        await GoesOnAsync(goesOnFrom ?? (CheckpointStore.InFolder(Path.Combine(_root, "run")).CommittedSteps() is [var newest, ..] ? newest : 0));
    }

    /// <summary>With all parts there, a commit that rank 0 has begun saves the work of all.</summary>
    [Theory]
    [InlineData(SavePoint.BeforeCommit)]
    [InlineData(SavePoint.DuringCommit)]
    public async Task RankZero_PeerKilledDuringTheCommit_EndsWhenItIsDone(SavePoint point)
    {
        using (var first = new RankAttempt(_root, 1, World, Steps, stopping: 0, point, KilledStep))
        {
            await first.WaitForAsync(RankHost.Reached(_root));
            first.Kill(1);
            await first.EventsAsync(1);
            await File.WriteAllTextAsync(RankHost.Released(_root), "", TestContext.Current.CancellationToken);
            var told = await first.EventsAsync(0);

            Assert.Equal(RankExitCodes.PeerLost, first.ExitCode(0));
            Assert.Contains(told, value => value is RankEvent.Saved { Checkpoint.Step: KilledStep });
        }

        await GoesOnAsync(KilledStep);
    }

    private static async Task<string[]> UndisturbedAsync()
    {
        var root = Directory.CreateTempSubdirectory("phi undisturbed ").FullName;
        try
        {
            using var run = new RankAttempt(root, 1, World, Steps);
            return Losses(await run.EventsAsync(0));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>By step, to the last bit.</summary>
    private static string[] Losses(IEnumerable<RankEvent> events) => [.. events.OfType<RankEvent.Stepped>().Select(stepped => $"{stepped.Step.Step}: {BitConverter.DoubleToInt64Bits(stepped.Step.Metrics["loss"]):x}")];

    private async Task GoesOnAsync(long from)
    {
        using var second = new RankAttempt(_root, 2, World, Steps);
        var told = await second.EventsAsync(0);

        Assert.Equal(from, Assert.Single(told.OfType<RankEvent.Training>()).FromStep);
        Assert.Equal((await Undisturbed.Value)[(int)from..], Losses(told));
        Assert.Equal(RankExitCodes.Completed, second.ExitCode(0));
        Assert.Equal([Steps], CheckpointStore.InFolder(Path.Combine(_root, "run")).CommittedSteps());
    }
}
