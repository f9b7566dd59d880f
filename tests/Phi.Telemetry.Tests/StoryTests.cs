using Phi.Api.Agent;
using Phi.Telemetry.Series;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Tests;

public sealed class SqliteStoryTests() : StoryTests(new SqliteDatabase());

public sealed class PostgresStoryTests(PostgresFixture fixture) : StoryTests(new PostgresDatabase(fixture));

/// <summary>What happened to a run, stored and read.</summary>
public abstract class StoryTests(ITestDatabase database) : StoreTests(database)
{
    private static readonly Transition First = new(DateTimeOffset.UnixEpoch.AddSeconds(5), "Placed", "2 pods placed", false, 1, "Pending");
    private static readonly Interruption Ended = new(1, DateTimeOffset.UnixEpoch.AddSeconds(60), "NodeSilent", "node-1 says nothing", false, 40, 30, 10);

    [Fact]
    public async Task Story_ToldTwice_IsStoredOnceWithTheLatestCost()
    {
        var page = new StoryPage(Run, "default", "job", [First], [Ended]);
        await Store.RecordAsync([page, page], Ct);
        await Store.RecordAsync([page with { Transitions = [First with { Time = First.Time.AddSeconds(1), Reason = "Starting", IsWarning = true }], Interruptions = [Ended with { ResumeStep = 35, LostSteps = 5 }] }], Ct);

        var story = await Store.StoryAsync(Run, Ct);

        Assert.Equal(["Placed", "Starting"], story.Transitions.Select(transition => transition.Reason));
        Assert.Equal(First, story.Transitions[0]);
        Assert.True(story.Transitions[1].IsWarning);
        Assert.Equal(Ended with { ResumeStep = 35, LostSteps = 5 }, Assert.Single(story.Interruptions));
        Assert.Equal(new RunSummary(Run, "default", "job"), Assert.Single(await Store.RunsAsync(null, null, 10, Ct)));
        Assert.Equal(Run, Assert.Single(await Store.RunsAsync(["nobody", Run], Ct)).Run);
    }

    [Fact]
    public async Task Story_HasMarksAndWhenEachAttemptTrained()
    {
        var mark = new AttemptMark(AttemptMark.Joined, DateTimeOffset.UnixEpoch.AddSeconds(3));
        await Store.IngestAsync(Batches.Of(Run, 1, Enumerable.Range(1, 30).Select(step => Batches.Step(step, 1) with { Metrics = new Dictionary<string, double> { ["step_seconds"] = 0.5 } })) with { Marks = [mark] }, Ct);
        await Store.IngestAsync(Batches.Of(Run, 1, []) with { Marks = [mark with { Time = mark.Time.AddSeconds(-1) }] }, Ct);

        var story = await Store.StoryAsync(Run, Ct);

        Assert.Equal(new Mark(1, AttemptMark.Joined, mark.Time), Assert.Single(story.Marks));
        Assert.Equal(new TrainingSpan(1, At(0.5), At(1), At(30)), Assert.Single(story.Training));

        static DateTimeOffset At(double seconds) => DateTimeOffset.UnixEpoch.AddSeconds(seconds);
    }

    [Fact]
    public async Task Story_OfARunThatIsNotThere_IsEmpty() => Assert.Empty((await Store.StoryAsync("nobody", Ct)).Transitions);
}
