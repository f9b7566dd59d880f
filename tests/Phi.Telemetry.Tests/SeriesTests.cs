using Phi.Telemetry.Series;

namespace Phi.Telemetry.Tests;

public sealed class SqliteSeriesTests() : SeriesTests(new SqliteDatabase());

public sealed class PostgresSeriesTests(PostgresFixture fixture) : SeriesTests(new PostgresDatabase(fixture));

/// <summary>Curves that are stored and read.</summary>
public abstract class SeriesTests(ITestDatabase database) : StoreTests(database)
{
    [Fact]
    public async Task Ingest_SentTwice_IsStoredOnce()
    {
        var batch = Batches.Loss(Run, 1, 1, 50, step => 5 - step / 100.0);
        await Store.IngestAsync(batch, Ct);
        await Store.IngestAsync(batch, Ct);

        var curve = await ReadAsync(1000);

        Assert.Equal(Enumerable.Range(1, 50).Select(step => 5 - step / 100.0), curve.Columns.Average);
        Assert.Equal(50, curve.Columns.Count.Sum());
        Assert.Equal(["loss"], await Store.MetricsAsync(Run, Ct));
    }

    /// <summary>Names are values, never part of a statement.</summary>
    [Theory]
    [InlineData("'; DROP TABLE metric_point; --")]
    [InlineData("loss\" OR 1=1 --")]
    [InlineData("%_\\'\"`$1@p0;")]
    public async Task Ingest_NamesThatLookLikeSql_AreNames(string hostile)
    {
        var step = Batches.Step(1, 4) with { Metrics = new Dictionary<string, double> { [hostile] = 7, ["loss"] = 4 } };
        await Store.IngestAsync(Batches.Of(Run, 1, [step]) with { Job = hostile, Namespace = hostile, Checkpoints = [new() { Step = 1, Time = DateTimeOffset.UnixEpoch, Uri = hostile }] }, Ct);

        var curve = await Store.SeriesAsync(new SeriesQuery { Run = Run, Metric = hostile }, Ct);
        var loss = await ReadAsync(10);

        Assert.Equal((7, 4), (Assert.Single(curve.Columns.Last), Assert.Single(loss.Columns.Last)));
        Assert.Equal(new[] { hostile, "loss" }.Order(StringComparer.Ordinal), (await Store.MetricsAsync(Run, Ct)).Order(StringComparer.Ordinal));
        Assert.Empty((await Store.SeriesAsync(new SeriesQuery { Run = hostile, Metric = "loss" }, Ct)).Columns.Step);
    }

    [Fact]
    public async Task Series_AfterARewind_TakesTheLaterAttemptAndKeepsTheLostStepsApart()
    {
        await Store.IngestAsync(Batches.Loss(Run, 1, 1, 137, _ => 1), Ct);
        await Store.IngestAsync(Batches.Loss(Run, 2, 101, 120, _ => 2), Ct);

        var curve = await ReadAsync(1000);

        Assert.Equal(Enumerable.Range(1, 120).Select(step => (double)step), curve.Columns.Step);
        Assert.Equal((1, 2), (curve.Columns.Last[99], curve.Columns.Last[100]));
        Assert.Equal([new AttemptRange(1, 1, 137, 37), new AttemptRange(2, 101, 120, 0)], curve.Attempts);
        Assert.Equal((1L, 120L), (curve.FirstStep, curve.LastStep));
        var lost = Assert.Single(curve.Lost);
        Assert.Equal((1, 101, 137), (lost.Attempt, lost.Columns.Step[0], lost.Columns.Step[^1]));
    }

    [Fact]
    public async Task Series_ThatIsNotOfEveryStep_IsLostFromWhereTheNextAttemptBeganNotFromWhereItReported()
    {
        await Store.IngestAsync(Batches.Of(Run, 1, [Batches.Step(1, 9), .. new[] { 100L, 200 }.Select(Evaluation)]), Ct);
        await Store.IngestAsync(Batches.Of(Run, 2, [Batches.Step(151, 8), Evaluation(300)]), Ct);

        var curve = await Store.SeriesAsync(new SeriesQuery { Run = Run, Metric = "eval_loss" }, Ct);

        Assert.Equal([100, 300], curve.Columns.Step);
        Assert.Equal([200], Assert.Single(curve.Lost).Columns.Step);

        static Phi.Api.Agent.StepEvent Evaluation(long step) => Batches.Step(step, 1) with { Metrics = new Dictionary<string, double> { ["eval_loss"] = step } };
    }

    [Fact]
    public async Task Series_LongerThanTheBuckets_KeepsExtremesAndTheLastStep()
    {
        await Store.IngestAsync(Batches.Loss(Run, 1, 1, 10_000, step => step == 5000 ? 99 : 1), Ct);

        var curve = await ReadAsync(100);

        Assert.InRange(curve.Columns.Step.Length, 50, 100);
        Assert.Equal(128, curve.BucketSteps);
        Assert.Equal(99, curve.Columns.Max.Max());
        Assert.Equal(10_000, curve.Columns.Step[^1]);
    }

    [Fact]
    public async Task Series_ValuesThatAreNotFinite_AreCountedApart()
    {
        await Store.IngestAsync(Batches.Loss(Run, 1, 1, 4, step => step switch { 2 => double.NaN, 4 => double.NegativeInfinity, _ => 1 }), Ct);

        var curve = await ReadAsync(100);

        Assert.Equal([0, 1, 0, 1], curve.Columns.NonFinite);
        Assert.Equal([1, double.NaN, 1, double.NaN], curve.Columns.Average);
        Assert.Equal([1, double.NaN, 1, double.NegativeInfinity], (await Store.PointsAsync(Run, "loss", 0, Ct)).Select(point => point.Value));
    }

    [Fact]
    public async Task Series_OfARunThatIsNotThere_IsEmpty()
    {
        var curve = await ReadAsync(100);

        Assert.Empty(curve.Columns.Step);
        Assert.Empty(curve.Attempts);
    }

    [Fact]
    public async Task Checkpoints_AreListedNewestFirst()
    {
        await Store.IngestAsync(Batches.Of(Run, 1, []) with { Checkpoints = [Checkpoint(50), Checkpoint(100)] }, Ct);

        var stored = await Store.CheckpointsAsync(Run, Ct);

        Assert.Equal([100, 50], stored.Select(checkpoint => checkpoint.Step));
        Assert.Equal((0.5, 0.125), (stored[0].Seconds, stored[0].StallSeconds));
    }

    private Task<SeriesData> ReadAsync(int buckets) => Store.SeriesAsync(new SeriesQuery { Run = Run, Metric = "loss", Buckets = buckets }, Ct);

    private static Phi.Api.Agent.CheckpointEvent Checkpoint(long step) =>
        new() { Step = step, Time = DateTimeOffset.UnixEpoch, Uri = $"file:///c/step-{step}", Bytes = 10, Seconds = 0.5, StallSeconds = 0.125 };
}
