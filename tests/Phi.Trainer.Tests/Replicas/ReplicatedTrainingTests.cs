using Phi.Api.Agent;
using Phi.Trainer.Ranks;
using Phi.Trainer.Tests.Saving;

namespace Phi.Trainer.Tests.Replicas;

/// <summary>Ranks are processes, which are killed; pods are the agents' servers with a folder each. The next attempt goes on from copies in memory, with the bits of a run that nobody disturbed.</summary>
public sealed class ReplicatedTrainingTests
{
    private const long Endless = 1_000_000;

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task Gang_ThatLostAPod_GoesOnFromTheCopiesOfTheOthers(int stage)
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 2);
        await KillAsync(gang, stage);
        await gang.ReplaceAsync(0);
        var newest = gang.Whole()[0].Manifest.Step;

        var told = await GoesOnAsync(gang, newest, stage);

        Assert.Contains(told.OfType<RankEvent.Recalled>(), recalled => recalled.Step.Step == newest && recalled.Attempt == 1);
    }

    [Fact]
    public async Task Gang_WhoseRanksAlone_WereKilled_GoesOnFromItsOwnMemory()
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 1);
        using (var first = gang.Attempt(1, Endless))
        {
            await gang.WaitForCopiesAsync(first, least: 3, holders: 1);
        }

        await GoesOnAsync(gang, gang.Whole()[0].Manifest.Step, stage: 3);
    }

    [Fact]
    public async Task Gang_ThatShrinks_ReshardsTheCopies()
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 2);
        await KillAsync(gang, stage: 3);
        await gang.RemoveAsync(1);
        var newest = gang.Whole()[0].Manifest.Step;

        using var second = gang.Attempt(2, newest + 3);
        var told = await second.EventsAsync(0);

        Assert.Equal(new RankEvent.Training(newest, IsFromMemory: true), Assert.Single(told.OfType<RankEvent.Training>()));
        Assert.Contains($"copy in memory of step {newest} is resharded: it has 4 shards", second.Said, StringComparison.Ordinal);
        Assert.Equal(RankExitCodes.Completed, second.ExitCode(0));
        Assert.Equal([newest + 3], gang.Store.CommittedSteps());
    }

    [Fact]
    public async Task NewerCheckpoint_ComesBeforeTheCopies()
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 1);
        using (var first = gang.Attempt(1, steps: 4, copied: 2))
        {
            await first.EventsAsync(0);
        }

        using var second = gang.Attempt(2, steps: 6);
        var told = await second.EventsAsync(0);

        Assert.Equal(new RankEvent.Training(4), Assert.Single(told.OfType<RankEvent.Training>()));
    }

    [Fact]
    public async Task DamagedCopy_IsToldAndTheOneBeforeIsUsed()
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 1);
        using (var first = gang.Attempt(1, Endless))
        {
            await gang.WaitForCopiesAsync(first, least: 3, holders: 1);
        }

        var whole = gang.Whole();
        var damaged = Path.Combine(gang.Folder(0), $"step-{whole[0].Manifest.Step:D8}", whole[0].Manifest.Shards[1].File);
        var bytes = await File.ReadAllBytesAsync(damaged, TestContext.Current.CancellationToken);
        bytes[^5] ^= 4;
        await File.WriteAllBytesAsync(damaged, bytes, TestContext.Current.CancellationToken);
        using var second = gang.Attempt(2, whole[0].Manifest.Step + 1);
        var told = await second.EventsAsync(0);

        Assert.Equal(whole.Count > 1 ? whole[1].Manifest.Step : 0, Assert.Single(told.OfType<RankEvent.Training>()).FromStep);
        Assert.Contains($"copy in memory of step {whole[0].Manifest.Step} is not used: ", second.Said, StringComparison.Ordinal);
        Assert.Contains("is damaged", second.Said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NeighbourThatDoesNotTakeThem_StopsNeitherTrainingNorThePodsOwnCopies()
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 2);
        using var run = gang.Attempt(1, Endless);
        gang.Server(1).Serve(2, RankStarts.PeerKey(2));
        await gang.WaitForCopiesAsync(run, least: 3, holders: 1);

        while (!run.Said.Contains("(401): the key is not that of the attempt that runs here", StringComparison.Ordinal))
        {
            run.ThrowIfEnded("it was told");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>As while an operator is upgraded: one pod's assignment came from the release before, which gives no key.</summary>
    [Fact]
    public async Task Gang_OfWhichAPodHasNoKey_TrainsWithoutCopies()
    {
        await using var gang = await ReplicaGang.StartAsync(pods: 2);
        using (var first = gang.Attempt(1, steps: 4, saved: 2, keyless: 1))
        {
            await first.EventsAsync(0);
            Assert.Contains("attempt 1 keeps no copies in memory and uses none: the operator gave no key for them to pod 1", first.Said, StringComparison.Ordinal);
        }

        Assert.Empty(gang.Whole());
        using var second = gang.Attempt(2, steps: 6);
        var told = await second.EventsAsync(0);

        Assert.Equal(new RankEvent.Training(4), Assert.Single(told.OfType<RankEvent.Training>()));
        Assert.Equal(RankExitCodes.Completed, second.ExitCode(0));
    }

    /// <summary>All ranks are killed when a copy is in both pods.</summary>
    private static async Task KillAsync(ReplicaGang gang, int stage)
    {
        using var first = gang.Attempt(1, Endless, stage: stage);
        await gang.WaitForCopiesAsync(first, least: 3, holders: 2);
    }

    private static async Task<IReadOnlyList<RankEvent>> GoesOnAsync(ReplicaGang gang, long newest, int stage)
    {
        var told = await UntilAsync(gang, 2, newest + 3, stage);

        Assert.Equal(new RankEvent.Training(newest, IsFromMemory: true), Assert.Single(told.OfType<RankEvent.Training>()));
        await using var undisturbed = await ReplicaGang.StartAsync(gang.Pods);
        var losses = ReplicaGang.Losses(await UntilAsync(undisturbed, 1, newest + 3, stage));
        Assert.Equal(losses.Where(step => step.Key > newest), ReplicaGang.Losses(told));
        return told;
    }

    /// <summary>What rank 0 tells up to the step: an attempt of the same length, and so of the same schedule, that is killed there.</summary>
    private static async Task<IReadOnlyList<RankEvent>> UntilAsync(ReplicaGang gang, int number, long step, int stage)
    {
        using var attempt = gang.Attempt(number, Endless, stage: stage, stopping: 0, step: step);
        await attempt.WaitForAsync(RankHost.Reached(gang.Root));
        attempt.Kill(0);
        return await attempt.EventsAsync(0);
    }
}
