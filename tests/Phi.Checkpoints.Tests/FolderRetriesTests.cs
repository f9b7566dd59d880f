using Microsoft.Extensions.Time.Testing;
using Phi.Checkpoints.Stores;

namespace Phi.Checkpoints.Tests;

public sealed class FolderRetriesTests
{
    private const int InputOutput = 5;
    private const int NoSpaceLeft = 28;
    private const int StaleHandle = 116;

    [Theory]
    [InlineData(InputOutput, 4)]
    [InlineData(StaleHandle, 1)]
    public void Do_ErrorThatPasses_IsTriedAgainUntilItHas(int error, int failures)
    {
        var tries = 0;

        Assert.Equal("read", new FolderRetries(new EagerTime()).Do("read", state => ++tries <= failures ? throw new IOException("away", error) : state));
        Assert.Equal(failures + 1, tries);
    }

    [Theory]
    [InlineData(InputOutput, 5)]
    [InlineData(NoSpaceLeft, 1)]
    public void Do_ErrorThatStays_IsThrownAsItIs(int error, int expected)
    {
        var tries = 0;

        var thrown = Assert.Throws<IOException>(() => new FolderRetries(new EagerTime()).Do<int, int>(0, _ => throw new IOException($"try {++tries}", error)));

        Assert.Equal((expected, $"try {expected}"), (tries, thrown.Message));
    }

    /// <summary>What is waited for is there at once.</summary>
    private sealed class EagerTime : FakeTimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Advance(dueTime > TimeSpan.Zero ? dueTime : TimeSpan.Zero);
            return timer;
        }
    }
}
