using System.Text;
using Phi.Checkpoints.Stores;
using Phi.Checkpoints.Stores.Blobs;

namespace Phi.Checkpoints.Tests.Blobs;

/// <summary>Every order of two attempts' requests: what an attempt finds when it has begun is all that older ones ever commit.</summary>
public sealed class BlobFenceTests
{
    private const string Manifest = "step-00000010/manifest.json";

    public enum Before
    {
        Nothing,
        Reservation,
        Damaged,
    }

    [Theory]
    [InlineData(Before.Nothing, false)]
    [InlineData(Before.Nothing, true)]
    [InlineData(Before.Reservation, false)]
    [InlineData(Before.Reservation, true)]
    [InlineData(Before.Damaged, false)]
    [InlineData(Before.Damaged, true)]
    public void Begin_InEveryOrderWithAnOlderCommit_SeesAllThatItEverCommits(Before before, bool isAnswerLost)
    {
        var (fenced, committed) = (0, 0);
        var orders = Turns.Explore(turns =>
        {
            var blobs = Blobs(before);
            var (outcome, seen) = ("", false);
            Action stale = () => outcome = Commit(new SteppedBlobs(blobs, turns, isAnswerLost), 1, "old", before == Before.Damaged);
            Action newer = () =>
            {
                var mine = new SteppedBlobs(blobs, turns, isAnswerLost);
                new BlobFence(mine).Begin("run", 2);
                seen = Text(mine.Read(Manifest)) == "old";
            };
            return ([stale, newer], () =>
            {
                Assert.Equal(outcome == "True", seen);
                Assert.Equal(seen, Text(blobs.Read(Manifest)) == "old");
                Assert.True(outcome is "True" or "superseded", outcome);
                committed += seen ? 1 : 0;
                fenced += seen ? 0 : 1;
            });
        });

        Assert.True(orders > 50 && committed > 0 && fenced > 0, $"{orders} orders: {committed} committed, {fenced} fenced");
    }

    [Fact]
    public void Commit_StalledUntilTheStepIsRemoved_NeverBringsItBack()
    {
        var orders = Turns.Explore(turns =>
        {
            var blobs = Blobs(Before.Nothing);
            var outcome = "";
            Action stale = () => outcome = Commit(new SteppedBlobs(blobs, turns), 1, "old", false);
            Action newer = () =>
            {
                new BlobFence(new SteppedBlobs(blobs, turns)).Begin("run", 2);
                turns.Take();
                blobs.Remove(Manifest);
            };
            return ([stale, newer], () => Assert.False(blobs.Has(Manifest), outcome));
        });

        Assert.True(orders > 50, $"{orders} orders");
    }

    [Fact]
    public void Commit_TwoAtOnce_ExactlyOneWinsAndStays()
    {
        Turns.Explore(turns =>
        {
            var blobs = new MemoryBlobs();
            var outcomes = new string[2];
            Action first = () => outcomes[0] = Commit(new SteppedBlobs(blobs, turns), 1, "first", false);
            Action second = () => outcomes[1] = Commit(new SteppedBlobs(blobs, turns), 1, "second", false, "another run");
            return ([first, second], () =>
            {
                Assert.Equal(["False", "True"], outcomes.Order(StringComparer.Ordinal));
                Assert.Equal(outcomes[0] == "True" ? "first" : "second", Text(blobs.Read(Manifest)));
            });
        });
    }

    [Fact]
    public void Begin_TwoAttemptsAtOnce_TheNewerIsNeverRefusedAndCommitsAlone()
    {
        Turns.Explore(turns =>
        {
            var blobs = new MemoryBlobs();
            Action older = () =>
            {
                try
                {
                    new BlobFence(new SteppedBlobs(blobs, turns)).Begin("run", 1);
                }
                catch (SupersededException)
                {
                    // The newer one was faster.
                }
            };
            Action newer = () => new BlobFence(new SteppedBlobs(blobs, turns)).Begin("run", 2);
            return ([older, newer], () => Assert.Equal(("superseded", "True"), (Commit(blobs, 1, "old", false), Commit(blobs, 2, "new", false))));
        });
    }

    [Fact]
    public void Begin_OfAnotherRun_LeavesACommitOnItsWay()
    {
        Turns.Explore(turns =>
        {
            var blobs = Blobs(Before.Nothing);
            var outcome = "";
            Action mine = () => outcome = Commit(new SteppedBlobs(blobs, turns), 1, "mine", false);
            Action other = () => new BlobFence(new SteppedBlobs(blobs, turns)).Begin("another run", 9);
            return ([mine, other], () => Assert.Equal(("True", "mine"), (outcome, Text(blobs.Read(Manifest)))));
        });
    }

    [Fact]
    public void Commit_DamagedManifests_AreSetAside()
    {
        var blobs = Blobs(Before.Damaged);
        blobs.Write("step-00000020/manifest.json", "worse"u8.ToArray());

        Assert.True(new BlobFence(blobs).Commit("run", 1, Manifest, "good"u8.ToArray(), [Manifest, "step-00000020/manifest.json"]));

        Assert.Equal(("good", "damaged"), (Text(blobs.Read(Manifest)), Text(blobs.Read(ICheckpointStorage.DamagedName(Manifest)))));
        Assert.Equal((null, "worse"), (Text(blobs.Read("step-00000020/manifest.json")), Text(blobs.Read("step-00000020/manifest.damaged.json"))));
    }

    private static MemoryBlobs Blobs(Before before)
    {
        var blobs = new MemoryBlobs();
        new BlobFence(blobs).Begin("run", 1);
        if (before != Before.Nothing)
        {
            blobs.TryWrite(Manifest, before == Before.Damaged ? "damaged"u8.ToArray() : default, before == Before.Reservation, null);
        }

        return blobs;
    }

    private static string Commit(IFencedBlobs blobs, int attempt, string content, bool isDamaged, string run = "run")
    {
        try
        {
            return new BlobFence(blobs).Commit(run, attempt, Manifest, Encoding.UTF8.GetBytes(content), isDamaged ? [Manifest] : []).ToString();
        }
        catch (SupersededException)
        {
            return "superseded";
        }
    }

    private static string? Text(FencedBlob? blob) => blob is { IsReservation: false } ? Encoding.UTF8.GetString(blob.Content) : null;
}
