using Azure.Storage.Blobs;
using Phi.Api.Agent;
using Phi.Azurite;
using Phi.Checkpoints.Stores;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Saving;

/// <summary>The blob service is killed while a rank uploads its shard, and comes back. Every rank is a process of its own.</summary>
public sealed class ServiceOutageTests : IDisposable
{
    private const int World = 2;
    private const long CutOffStep = 4;
    private readonly string _root = Directory.CreateTempSubdirectory("phi outage ").FullName;
    private readonly AzuriteServer _azurite = new();

    public void Dispose()
    {
        _azurite.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(60)]
    public async Task Save_ServiceIsAwayForSeconds_IsCommittedByRetriesAndTrainingGoesOn(int seconds)
    {
        Assert.SkipUnless(seconds <= 10 || Environment.GetEnvironmentVariable("PHI_FAULTS") == "all", "takes more than a minute; set PHI_FAULTS=all");
        const long steps = 7;
        var blobs = BlobTarget.In(_azurite, TimeSpan.FromMinutes(5));
        using var attempt = new RankAttempt(_root, 1, World, steps, stopping: 0, SavePoint.DuringShard, CutOffStep, blobs);
        await CutOffAsync(attempt, blobs);

        await attempt.WaitForEventAsync(told => told is RankEvent.Stepped { Step.Step: CutOffStep + 1 });
        await Task.Delay(TimeSpan.FromSeconds(seconds), TestContext.Current.CancellationToken);
        _azurite.Start();
        var events = await attempt.EventsAsync(0);

        Assert.Equal(RankExitCodes.Completed, attempt.ExitCode(0));
        Assert.Empty(events.OfType<RankEvent.Missed>());
        Assert.Equal([2, CutOffStep, 6, steps], events.OfType<RankEvent.Saved>().Select(saved => saved.Checkpoint.Step));
        AssertNewest(blobs, steps);
    }

    [Fact]
    public async Task Save_ServiceStaysAwayLongerThanRetriesLast_IsMissedAndALaterOneIsCommitted()
    {
        const long steps = 101;
        var blobs = BlobTarget.In(_azurite, TimeSpan.FromSeconds(1));
        using var attempt = new RankAttempt(_root, 1, World, steps, stopping: 0, SavePoint.DuringShard, CutOffStep, blobs);
        await CutOffAsync(attempt, blobs);

        await attempt.WaitForEventAsync(told => told is RankEvent.Missed { Checkpoint.Step: CutOffStep });
        _azurite.Start();
        var events = await attempt.EventsAsync(0);

        Assert.Equal(RankExitCodes.Completed, attempt.ExitCode(0));
        var missed = events.OfType<RankEvent.Missed>().Select(item => item.Checkpoint).ToList();
        Assert.All(missed, item => Assert.Equal(MissedCheckpoint.StorageFailed, item.Reason));
        Assert.Contains("cannot be reached (ConnectionRefused); look at the network", missed[0].Message, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, (int)steps).Select(step => (long)step), events.OfType<RankEvent.Stepped>().Select(told => told.Step.Step));
        var saved = events.OfType<RankEvent.Saved>().Select(item => item.Checkpoint.Step).ToList();
        Assert.DoesNotContain(CutOffStep, saved);
        Assert.Contains(saved, step => step > CutOffStep && step < steps);
        AssertNewest(blobs, steps);
    }

    /// <summary>Kills the service when rank 0 has uploaded half of its shard, and rank 1 all of it.</summary>
    private async Task CutOffAsync(RankAttempt attempt, BlobTarget blobs)
    {
        await attempt.WaitForAsync(RankHost.Reached(_root));
        var other = new BlobServiceClient(blobs.ConnectionString).GetBlobContainerClient(new Uri(blobs.Address).Segments[2].Trim('/')).GetBlobClient($"run/step-{CutOffStep:D8}/shard-00001-of-{World:D5}-attempt-1.chunks");
        while (!await other.ExistsAsync(TestContext.Current.CancellationToken))
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        // What it has acknowledged is safe in a real service.
        _azurite.WaitUntilSaved();
        _azurite.Kill();
        await File.WriteAllTextAsync(RankHost.Released(_root), "", TestContext.Current.CancellationToken);
    }

    private static void AssertNewest(BlobTarget blobs, long step)
    {
        using var store = new CheckpointStore(blobs.Open());
        Assert.Equal(step, store.NewestGood((bad, e) => Assert.Fail($"step {bad}: {e.Message}"))?.Step);
    }
}
