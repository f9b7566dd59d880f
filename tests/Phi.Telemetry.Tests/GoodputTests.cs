using Phi.Api.Agent;
using Phi.Telemetry.Goodput;

namespace Phi.Telemetry.Tests;

public sealed class SqliteGoodputTests() : GoodputTests(new SqliteDatabase());

public sealed class PostgresGoodputTests(PostgresFixture fixture) : GoodputTests(new PostgresDatabase(fixture));

/// <summary>The ledger, and what it is computed from.</summary>
public abstract class GoodputTests(ITestDatabase database) : StoreTests(database)
{
    private static readonly AttemptGoodput First = new()
    {
        Attempt = 1, Steps = 10, FirstStep = 1, LastStep = 10, Start = At(1), End = At(20.5), ProductiveSeconds = 12.5, LostSeconds = 7.25, LostFromStep = 6, Tokens = 1e12, FirstLoss = 10.5, Loss = 2.5,
        MissedStallSeconds = 0.125, MissedUntil = At(9),
    };

    private static readonly AttemptGoodput Second = new() { Attempt = 2, Steps = 1, FirstStep = 6, LastStep = 6, Start = At(30), End = At(31), ProductiveSeconds = 1, LostSeconds = 0, Loss = double.NaN };

    [Fact]
    public async Task Goodput_WrittenTwice_IsOneRowPerAttempt()
    {
        await Store.Goodput.WriteAsync([new RunGoodput(Run, [Second, First]), new RunGoodput("another", [Second])], Ct);
        await Store.Goodput.WriteAsync([new RunGoodput(Run, [First, Second])], Ct);

        Assert.Equal([First, Second], await Store.Goodput.ReadAsync(Run, Ct));
        Assert.Empty(await Store.Goodput.ReadAsync("nobody", Ct));
    }

    [Fact]
    public async Task Goodput_OfAFormerLeader_DoesNotUndoWhatIsNewer()
    {
        await Store.Goodput.WriteAsync([new RunGoodput(Run, [First])], Ct);
        await Store.Goodput.WriteAsync([new RunGoodput(Run, [First with { Steps = 9, LastStep = 9 }])], Ct);

        Assert.Equal(First, Assert.Single(await Store.Goodput.ReadAsync(Run, Ct)));
    }

    [Fact]
    public async Task Steps_AreReadByPagesInBothDirections()
    {
        await IngestAsync(1, Enumerable.Range(1, 40).Select(step => (long)step));

        Assert.Equal([1], await Store.Goodput.AttemptsAsync(Run, Ct));
        Assert.Equal([11, 12, 13], (await Store.Goodput.StepsAsync(Run, 1, 10, 3, Ct)).Select(step => step.Step));
        Assert.Equal([28, 29, 30], (await Store.Goodput.NewestStepsAsync(Run, 1, 30, 3, Ct)).Select(step => step.Step));
        Assert.Equal(new StoredStep(4, At(4), 0.5, null, 40), (await Store.Goodput.StepsAsync(Run, 1, 3, 1, Ct))[0]);
        Assert.Equal(new StoredStep(5, At(5), 0, double.NaN, null), (await Store.Goodput.StepsAsync(Run, 1, 4, 1, Ct))[0]);
        Assert.Equal(double.NaN, await Store.Goodput.NewestAsync(Run, 1, "loss", 5, Ct));
        Assert.Null(await Store.Goodput.NewestAsync(Run, 2, "loss", 5, Ct));
        Assert.Empty(await Store.Goodput.StepsAsync(Run, 2, 0, 3, Ct));
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(1, 255)]
    [InlineData(1, 256)]
    [InlineData(300, 600)]
    [InlineData(256, 511)]
    [InlineData(2000, 3000)]
    public async Task Sum_OfARange_IsThatOfItsSteps(long from, long to)
    {
        await IngestAsync(1, Enumerable.Range(1, 700).Where(step => step < 300 || step % 10 == 0).Select(step => (long)step));
        var steps = (await Store.Goodput.StepsAsync(Run, 1, -1, 1000, Ct)).ToList();

        var sum = await Store.Goodput.SumAsync(Run, 1, from, to, Ct);

        var within = Enumerable.Range(0, steps.Count).Where(i => steps[i].Step >= from && steps[i].Step <= to).ToList();
        Assert.Equal(within.Count, sum.Steps);
        Assert.Equal(within.Sum(i => steps[i].Seconds * (i == 0 ? 1 : steps[i].Step - steps[i - 1].Step)), sum.Seconds);
        Assert.Equal(within.Count == 0 ? DateTimeOffset.UnixEpoch : steps[within[^1]].Time, sum.End);
        Assert.Equal(steps.Count(step => step.Step <= to), await Store.Goodput.CountAsync(Run, 1, to, Ct));
    }

    [Fact]
    public async Task CheckpointTotals_AreOfAllButSome()
    {
        await Store.IngestAsync(Batches.Of(Run, 1, []) with { Checkpoints = [.. new[] { 10L, 20, 30 }.Select(step => new CheckpointEvent { Step = step, Time = At(step), Uri = $"file:///{step}", Bytes = step, StallSeconds = 0.5 })] }, Ct);

        var all = await Store.CheckpointTotalsAsync(Run, [], Ct);
        var some = await Store.CheckpointTotalsAsync(Run, [30, 10], Ct);

        Assert.Equal((3, 60, 1.5, 30), (all.Count, all.Bytes, all.StallSeconds, all.Newest!.Step));
        Assert.Equal((1, 20, 0.5, 20), (some.Count, some.Bytes, some.StallSeconds, some.Newest!.Step));
        Assert.Equal(new Series.CheckpointTotals(0, 0, 0, null), await Store.CheckpointTotalsAsync("nobody", [], Ct));
    }

    private static DateTimeOffset At(double seconds) => DateTimeOffset.UnixEpoch.AddSeconds(seconds);

    /// <summary>Half a second each, but every fifth, whose values are no numbers.</summary>
    private Task IngestAsync(int attempt, IEnumerable<long> steps) => Store.IngestAsync(
        Batches.Of(Run, attempt, steps.Select(step => Batches.Step(step, 1) with
        {
            Metrics = step % 5 == 0
                ? new Dictionary<string, double> { ["step_seconds"] = double.NaN, ["loss"] = double.NaN, ["tokens"] = double.PositiveInfinity }
                : new Dictionary<string, double> { ["step_seconds"] = 0.5, ["tokens"] = 10 * step },
        })), Ct);
}
