using Phi.Api.Agent;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Goodput;
using Phi.Telemetry.Retention;
using Phi.Telemetry.Series;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Tests;

public sealed class SqliteRetentionTests() : RetentionTests(new SqliteDatabase());

public sealed class PostgresRetentionTests(PostgresFixture fixture) : RetentionTests(new PostgresDatabase(fixture));

/// <summary>Runs and audit entries that go.</summary>
public abstract class RetentionTests(ITestDatabase database) : StoreTests(database)
{
    private const string Other = "other";

    /// <summary>Every table that holds what belongs to runs, but for runs itself.</summary>
    private static readonly string[] Tables = ["series", "metric_point", "metric_rollup_16", "metric_rollup_256", "attempts", "checkpoints", "marks", "transitions", "interruptions", "goodput", "evaluations", "evaluation_problems"];

    [Fact]
    public async Task Remove_ARun_LeavesNothingOfItAndAllOfOthers()
    {
        await FillAsync(Other, 30);
        var before = await RowsAsync();
        await FillAsync(Run, 3000);

        var rows = await Store.Retention.RemoveAsync(Run, Ct).ToListAsync(Ct);

        Assert.Equal(before, await RowsAsync());
        Assert.Equal(Other, Assert.Single(await Store.Retention.RunsAsync(Ct)).Run);
        Assert.True(rows.Count > 1, "one transaction was enough");
        Assert.All(rows, removed => Assert.InRange(removed, 1, TelemetryRetention.MostRows + 100));
        // Four series of points and roll-ups, one with a score, an evaluation of two problems, and what there is one of.
        Assert.Equal(4 * (3000 + 188 + 12 + 1) + 4 + 3 + 8, rows.Sum());
        Assert.Empty(await Store.Retention.RemoveAsync(Run, Ct).ToListAsync(Ct));
    }

    [Fact]
    public async Task Remove_CutOffAnywhere_IsCompletedByTheNext()
    {
        await FillAsync(Run, 3000);
        var started = (await Store.Retention.ActivityAsync(Assert.Single(await Store.Retention.RunsAsync(Ct)), Ct)).LastActivity;
        await foreach (var _ in Store.Retention.RemoveAsync(Run, Ct))
        {
            break;
        }

        var left = Assert.Single(await Store.Retention.RunsAsync(Ct));
        Assert.True((await Store.Retention.ActivityAsync(left, Ct)).LastActivity <= started);
        Assert.NotEmpty(await Store.Retention.RemoveAsync(Run, Ct).ToListAsync(Ct));
        Assert.Empty(await Store.Retention.RunsAsync(Ct));
        Assert.All(await RowsAsync(), count => Assert.Equal(0, count));
    }

    [Fact]
    public async Task Remove_BetweenTwoTransactions_LetsOthersStore()
    {
        await FillAsync(Run, 3000);
        var transactions = 0;

        await foreach (var _ in Store.Retention.RemoveAsync(Run, Ct))
        {
            transactions++;
            await Store.IngestAsync(Batches.Loss(Other, 1, transactions, transactions, _ => 1), Ct);
        }

        Assert.True(transactions > 1);
        Assert.Equal(Other, Assert.Single(await Store.Retention.RunsAsync(Ct)).Run);
    }

    [Fact]
    public async Task Activity_IsTheNewestOfWhatIsStored()
    {
        var run = new RunSummary(Run, "default", "job");
        Assert.Null((await Store.Retention.ActivityAsync(run, Ct)).LastActivity);

        await Store.IngestAsync(Batches.Loss(Run, 1, 1, 50, _ => 1, rank: 3), Ct);
        Assert.Equal(At(50), (await Store.Retention.ActivityAsync(run, Ct)).LastActivity);

        await FillAsync(Run, 10);
        Assert.Equal(At(1005), (await Store.Retention.ActivityAsync(run, Ct)).LastActivity);
        Assert.Empty(await Store.Retention.IdleRunsAsync(At(1005), Ct));
        Assert.Equal(run, Assert.Single(await Store.Retention.IdleRunsAsync(At(1005).AddMilliseconds(1), Ct)));
    }

    [Fact]
    public async Task RemoveAudits_OfBeforeATime_KeepsTheNewer()
    {
        var entry = new AuditEntry(At(1), "ada", "admin", "delete", "default", "TrainingJob", "job", "Done", "");
        foreach (var seconds in new[] { 1, 2, 3 })
        {
            await Store.AuditAsync(entry with { Time = At(seconds) }, Ct);
        }

        Assert.Equal([2L], await Store.Retention.RemoveAuditsAsync(At(3), Ct).ToListAsync(Ct));
        Assert.Equal(At(3), Assert.Single(await Store.AuditsAsync(null, null, 10, Ct)).Time);
        Assert.Empty(await Store.Retention.RemoveAuditsAsync(At(3), Ct).ToListAsync(Ct));
    }

    [Fact]
    public async Task LastSweep_IsTheOneThatWasMarked()
    {
        Assert.Null(await Store.Retention.LastSweepAsync(Ct));

        await Store.Retention.MarkSweptAsync(At(5), Ct);
        await Store.Retention.MarkSweptAsync(At(9), Ct);

        Assert.Equal(At(9), await Store.Retention.LastSweepAsync(Ct));
    }

    private static DateTimeOffset At(double seconds) => DateTimeOffset.UnixEpoch.AddSeconds(seconds);

    /// <summary>Two ranks with two metrics each, and one of everything else; its last activity is at 1005 s.</summary>
    private async Task FillAsync(string run, int steps)
    {
        foreach (var rank in new[] { 0, 1 })
        {
            await Store.IngestAsync(
                Batches.Of(run, 1, Enumerable.Range(1, steps).Select(step => Batches.Step(step, 1, rank) with { Time = At(step / 10.0), Metrics = new Dictionary<string, double> { ["loss"] = 1, ["step_seconds"] = 1 } })) with
                {
                    Checkpoints = [new CheckpointEvent { Step = 5, Time = At(1001), Uri = "file:///c" }],
                    Marks = [new AttemptMark(AttemptMark.Joined, At(1002))],
                }, Ct);
        }

        await Store.IngestAsync(Evaluations.Of(run, 1, 5, [true, false]), Ct);
        var transition = new Transition(At(1003), "Placed", "2 pods placed", false, 1, "Pending");
        await Store.RecordAsync([new StoryPage(run, "default", "job", [transition, transition with { Reason = "Starting" }], [new Interruption(1, At(1004), "NodeSilent", "silent", false, 40, 30, 10)])], Ct);
        await Store.Goodput.WriteAsync([new RunGoodput(run, [new AttemptGoodput { Attempt = 1, Steps = 1, FirstStep = 1, LastStep = 1, Start = At(1), End = At(1005), ProductiveSeconds = 1, LostSeconds = 0 }])], Ct);
    }

    private async Task<List<long>> RowsAsync()
    {
        await using var connection = await Store.OpenConnectionAsync(Ct);
        var counts = new List<long>();
        foreach (var table in Tables)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT count(*) FROM {table}";
            counts.Add((long)(await command.ExecuteScalarAsync(Ct))!);
        }

        return counts;
    }
}
