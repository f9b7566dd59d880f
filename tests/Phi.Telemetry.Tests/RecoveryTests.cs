using CsCheck;
using Phi.Api.Agent;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Tests;

/// <summary>What a recovery was spent on.</summary>
public sealed class RecoveryTests
{
    private static readonly DateTimeOffset Now = At(1000);

    [Fact]
    public void Of_AnAttemptThatIsFollowed_HasEveryStageInOrder()
    {
        var recovery = Assert.Single(Recovery.Of(
            Story([Ended(1, 104)], [Transition(105, "Replacing"), Transition(107, "BackingOff"), Transition(110, "CreatingPods"), Transition(111, "Placed"), Transition(113, "Starting"), Transition(120, "Training")],
                [Mark(2, AttemptMark.Launched, 115), Mark(2, AttemptMark.Joined, 118), Mark(2, AttemptMark.Restored, 119)], [Trained(1, 10, 100), Trained(2, 119, 200, firstStepEnd: 121)]),
            Now));

        Assert.Equal(["Detect 4", "Drain 3", "Queue 3", "Start 5", "Rendezvous 3", "Restore 1", "FirstStep 2"], Words(recovery));
        Assert.True(recovery.IsOver);
        Assert.Equal((2, 21), (recovery.NextAttempt, (recovery.End - recovery.Start).TotalSeconds));
    }

    [Fact]
    public void Of_AnAttemptThatNoneFollowsYet_LastsUntilNow()
    {
        var recovery = Assert.Single(Recovery.Of(Story([Ended(1, 104)], [Transition(110, "InsufficientCapacity")], [], [Trained(1, 10, 100)]), At(160)));

        Assert.Equal(["Detect 4", "Drain 6", "Queue 50"], Words(recovery));
        Assert.False(recovery.IsOver);
    }

    [Fact]
    public void Of_AnAttemptThatEndsBeforeItTrains_IsPartOfTheRecoveryBeforeIt()
    {
        var recoveries = Recovery.Of(
            Story([Ended(1, 104), Ended(2, 130), Ended(3, 300)], [Transition(105, "CreatingPods"), Transition(131, "CreatingPods")], [Mark(3, AttemptMark.Launched, 140)], [Trained(1, 10, 100), Trained(3, 140, 290, firstStepEnd: 145)]),
            Now);

        Assert.Equal([(1, 3), (3, 4)], recoveries.Select(recovery => (recovery.Interruption.Attempt, recovery.NextAttempt)));
        Assert.Equal(45, (recoveries[0].End - recoveries[0].Start).TotalSeconds);
    }

    [Fact]
    public void Of_AnAttemptThatNeverTrained_BeginsWithItsEnd() =>
        Assert.Equal(["Drain 896"], Words(Assert.Single(Recovery.Of(Story([Ended(1, 104)], [], [], []), Now))));

    [Fact]
    public void Of_AnyStory_HasPartsThatTouchAndAddUp() => Check.Sample(
        Gen.Select(Gen.Int[1, 400].Array[1, 6], Gen.Select(Gen.Int[0, 500], Gen.Int[0, 5]).Array[0, 12], Gen.Int[0, 500].Array[3], Gen.Int[0, 500].Array[8]),
        (ends, transitions, marks, spans) =>
        {
            string[] reasons = ["Replacing", "BackingOff", "CreatingPods", "Placed", "Training", "Starting"];
            var story = Story(
                [.. ends.Select((at, i) => Ended(i + 1, at))], [.. transitions.Select(one => Transition(one.Item1, reasons[one.Item2]))],
                [Mark(2, AttemptMark.Launched, marks[0]), Mark(2, AttemptMark.Joined, marks[1]), Mark(2, AttemptMark.Restored, marks[2])],
                [.. Enumerable.Range(0, 4).Select(i => Trained(i + 1, spans[2 * i], spans[2 * i] + spans[2 * i + 1]))]);
            foreach (var recovery in Recovery.Of(story, Now))
            {
                Assert.All(recovery.Parts.Zip(recovery.Parts.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
                Assert.All(recovery.Parts, part => Assert.True(part.Length >= TimeSpan.Zero));
            }
        });

    private static IEnumerable<string> Words(Recovery recovery) => recovery.Parts.Select(part => $"{part.Stage} {part.Length.TotalSeconds:0}");

    private static RunStory Story(IReadOnlyList<Interruption> interruptions, IReadOnlyList<Transition> transitions, IReadOnlyList<Mark> marks, IReadOnlyList<TrainingSpan> training) =>
        new() { Interruptions = interruptions, Transitions = transitions, Marks = marks, Training = training };

    private static Interruption Ended(int attempt, int second) => new(attempt, At(second), "RankFailed", "", true, 10, 5, 5);

    private static Transition Transition(int second, string reason) => new(At(second), reason, "", false, 1, "Restarting");

    private static Mark Mark(int attempt, string name, int second) => new(attempt, name, At(second));

    private static TrainingSpan Trained(int attempt, int start, int end, int? firstStepEnd = null) => new(attempt, At(start), At(firstStepEnd ?? start), At(end));

    private static DateTimeOffset At(int second) => DateTimeOffset.UnixEpoch.AddSeconds(second);
}
