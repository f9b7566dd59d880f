using Phi.Checkpoints;
using Phi.Collectives;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests;

/// <summary>What ranks do together when a checkpoint cannot be read.</summary>
public sealed class RankExchangeTests
{
    [Fact]
    public async Task TryOnAll_ADamagedCheckpoint_IsTold()
    {
        await using var group = InProcessGroup.Create(1)[0];
        var told = new List<string>();

        Assert.False(group.TryOnAll(() => throw new CheckpointException("cut off"), problem => told.Add(problem.Message)));
        Assert.Equal(["cut off"], told);
        Assert.True(group.TryOnAll(() => { }, problem => told.Add(problem.Message)));
    }

    /// <summary>Nothing is wrong with it: whoever went on from an older one, or from the start, would train again what is there.</summary>
    [Fact]
    public async Task TryOnAll_ACheckpointOfAnotherFormat_EndsTheRank()
    {
        await using var group = InProcessGroup.Create(1)[0];

        var refused = Assert.Throws<CheckpointException>(() => group.TryOnAll(() => throw new CheckpointException("format 2") { IsOtherFormat = true }, _ => Assert.Fail("it is skipped")));

        Assert.Equal("format 2", refused.Message);
    }
}
