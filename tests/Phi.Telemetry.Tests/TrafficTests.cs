using Phi.Api.Agent;

namespace Phi.Telemetry.Tests;

public sealed class SqliteTrafficTests() : TrafficTests(new SqliteDatabase());

public sealed class PostgresTrafficTests(PostgresFixture fixture) : TrafficTests(new PostgresDatabase(fixture));

/// <summary>The ranks' traffic.</summary>
public abstract class TrafficTests(ITestDatabase database) : StoreTests(database)
{
    [Fact]
    public async Task Traffic_BeforeAnyRankReports_IsNull()
    {
        await IngestAsync(1, 0, 1, 5, _ => new() { ["loss"] = 1 });

        Assert.Null(await Store.TrafficAsync(Run, 20, Ct));
        Assert.Null(await Store.TrafficAsync("another", 20, Ct));
    }

    [Fact]
    public async Task Traffic_OfRecentSteps_IsSummedOverRanksAndMeanOverSteps()
    {
        // Old steps have other figures and must not count.
        for (var rank = 0; rank < 4; rank++)
        {
            await IngestAsync(1, rank, 1, 30, step => step <= 20 ? Metrics(1e6, 1e6, 9, 9) : Metrics(100 * (rank + 1), 10, 2, 0.5));
        }

        var traffic = await Store.TrafficAsync(Run, 10, Ct);

        Assert.Equal((1, 21, 30, 4), (traffic!.Attempt, traffic.FirstStep, traffic.LastStep, traffic.Ranks));
        Assert.Equal([("all-gather", 1000.0, 0.0), ("all-to-all", 0.0, 40.0)], traffic.Collectives.Select(c => (c.Collective, c.WithinNodes, c.AcrossNodes)));
        Assert.Equal((1000.0, 40.0), (traffic.WithinNodes, traffic.AcrossNodes));
        Assert.Equal(0.75, traffic.HiddenShare);
    }

    [Fact]
    public async Task Traffic_WhereOneRankLags_EndsAtTheLastStepOfAll()
    {
        await IngestAsync(1, 0, 1, 30, _ => Metrics(100, 10, 1, 1));
        await IngestAsync(1, 1, 1, 12, _ => Metrics(100, 10, 1, 1));

        var traffic = await Store.TrafficAsync(Run, 5, Ct);

        Assert.Equal((8, 12), (traffic!.FirstStep, traffic.LastStep));
        Assert.Equal(200, traffic.WithinNodes);
        Assert.Equal(0, traffic.HiddenShare);
    }

    [Fact]
    public async Task Traffic_AfterARestart_IsTheNewestAttempts()
    {
        await IngestAsync(1, 0, 1, 30, _ => Metrics(100, 10, 1, 1));
        await IngestAsync(1, 1, 1, 30, _ => Metrics(100, 10, 1, 1));
        await IngestAsync(2, 0, 21, 22, _ => Metrics(7, 3, 1, 0));

        var traffic = await Store.TrafficAsync(Run, 20, Ct);

        Assert.Equal((2, 21, 22, 1), (traffic!.Attempt, traffic.FirstStep, traffic.LastStep, traffic.Ranks));
        Assert.Equal((7, 3), (traffic.WithinNodes, traffic.AcrossNodes));
    }

    private static Dictionary<string, double> Metrics(double gathered, double exchanged, double busy, double exposed) => new()
    {
        ["loss"] = 1, ["comm_bytes_all_gather_intra"] = gathered, ["comm_bytes_all_to_all_inter"] = exchanged, ["comm_bytes_barrier_intra"] = 0,
        ["comm_seconds"] = busy, ["comm_exposed_seconds"] = exposed,
    };

    private Task IngestAsync(int attempt, int rank, long from, long to, Func<long, Dictionary<string, double>> metrics) => Store.IngestAsync(
        new EventBatch
        {
            Namespace = "default",
            Job = "job",
            JobUid = Run,
            Attempt = attempt,
            Steps = [.. Enumerable.Range(0, (int)(to - from + 1)).Select(i => new StepEvent { Rank = rank, Step = from + i, Time = DateTimeOffset.UnixEpoch.AddSeconds(i), Metrics = metrics(from + i) })],
        },
        Ct);
}
