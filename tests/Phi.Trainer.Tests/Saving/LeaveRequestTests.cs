using Microsoft.Extensions.Time.Testing;
using Phi.Trainer.Ranks.Saving;

namespace Phi.Trainer.Tests.Saving;

/// <summary>The line by which an agent asks its ranks to leave.</summary>
public sealed class LeaveRequestTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Read_LinesWithTime_CountDownToTheEarliest()
    {
        using var leave = new LeaveRequest(_time);
        leave.Read(LeaveRequest.Line(TimeSpan.FromSeconds(30)));
        _time.Advance(TimeSpan.FromSeconds(10));
        leave.Read(LeaveRequest.Line(TimeSpan.FromSeconds(25)));

        Assert.True(leave.IsAsked);
        Assert.Equal(20, leave.SecondsLeft);
        leave.Read(LeaveRequest.Line(TimeSpan.FromSeconds(12.5)));
        Assert.Equal(12.5, leave.SecondsLeft);
    }

    [Fact]
    public void Read_LineWithoutTime_Asks()
    {
        using var leave = new LeaveRequest(_time);
        leave.Read(LeaveRequest.Line(null));

        Assert.Equal((true, double.PositiveInfinity), (leave.IsAsked, leave.SecondsLeft));
    }

    [Theory]
    [InlineData("")]
    [InlineData("stopped")]
    [InlineData("stop soon")]
    public void Read_OtherLines_AskForNothing(string line)
    {
        using var leave = new LeaveRequest(_time);
        leave.Read(line);

        Assert.False(leave.IsAsked);
    }
}
