using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Phi.Telemetry.Model;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;

namespace Phi.Telemetry.Tests;

/// <summary>The two sets of migrations.</summary>
public sealed class SchemaTests(PostgresFixture fixture)
{
    private const string Run = "run";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Model_OfEitherProvider_HasNoChangeWithoutAMigration()
    {
        using var sqlite = new SqliteTelemetryContext.Factory().CreateDbContext([]);
        using var postgres = new PostgresTelemetryContext.Factory().CreateDbContext([]);

        Assert.False(sqlite.Database.HasPendingModelChanges(), "dotnet ef migrations add NAME --context SqliteTelemetryContext -o Migrations/Sqlite");
        Assert.False(postgres.Database.HasPendingModelChanges(), "dotnet ef migrations add NAME --context PostgresTelemetryContext -o Migrations/Postgres");
    }

    [Fact]
    public async Task Open_AFileOfTheVersionBeforeRollups_BringsItsPointsAlong()
    {
        using var database = new SqliteDatabase();
        var options = new DbContextOptionsBuilder<SqliteTelemetryContext>().UseSqlite($"Data Source={database.Address}").Options;
        await using (var context = new SqliteTelemetryContext(options))
        {
            await context.Database.MigrateAsync("CheckpointStall", Ct);
            await context.Database.ExecuteSqlRawAsync(
                """
                INSERT INTO runs VALUES ('run', 'default', 'job');
                INSERT INTO series (id, run_id, attempt, rank, metric) VALUES (1, 'run', 1, 0, 'loss'), (2, 'run', 2, 0, 'loss');
                WITH RECURSIVE n(step) AS (SELECT 1 UNION ALL SELECT step + 1 FROM n WHERE step < 1000)
                INSERT INTO metric_point (series_id, step, ts, value, nonfinite) SELECT 1, step, step * 1000, CASE WHEN step % 100 = 50 THEN 0.0 ELSE step END, step % 100 = 50 FROM n;
                INSERT INTO metric_point (series_id, step, ts, value, nonfinite) VALUES (2, 901, 5000, 7.0, 0);
                """, Ct);
        }

        SqliteConnection.ClearAllPools();
        await using var store = await TelemetryStore.OpenAsync(database.Address, TimeProvider.System, Ct);
        var query = new SeriesQuery { Run = Run, Metric = "loss", Buckets = 1000 };
        var fine = await store.SeriesAsync(query, Ct);
        var coarse = await store.SeriesAsync(query with { Buckets = 10 }, Ct);

        Assert.Equal([(1, 100L), (2, 0L)], fine.Attempts.Select(attempt => (attempt.Attempt, attempt.LostSteps)));
        Assert.Equal((892, 9), (fine.Columns.Count.Sum(), fine.Columns.NonFinite.Sum()));
        Assert.Equal((892, 9), (coarse.Columns.Count.Sum(), coarse.Columns.NonFinite.Sum()));
        Assert.Equal([127, 255, 383, 511, 639, 767, 895, 7], coarse.Columns.Last);
        Assert.Equal([1, 128, 256, 384, 512, 640, 768, 7], coarse.Columns.Min);
    }

    [Fact]
    public async Task Open_ADatabaseThatIsNotThere_SaysWhichAndWhatToDo()
    {
        var missing = fixture.Server.CreateDatabase() + "x";

        var failure = await Assert.ThrowsAsync<TelemetryException>(() => TelemetryStore.OpenAsync(missing.Replace("Host=", "Timeout=5;Host=/nowhere", StringComparison.Ordinal), TimeProvider.System, Ct));

        Assert.Contains("cannot be opened as phi", failure.Message, StringComparison.Ordinal);
        Assert.Contains("createdb", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("telemetry.db", null)]
    [InlineData("/var/lib/phi/telemetry.db", null)]
    [InlineData("postgresql://phi@db.example:5433/telemetry?sslmode=verify-full&sslrootcert=/ca-file.pem", "Host=db.example;Database=telemetry;Port=5433;Username=phi;SSL Mode=VerifyFull;Root Certificate=/ca-file.pem")]
    [InlineData("postgres://phi:p%40ss@db/telemetry", "Host=db;Database=telemetry;Username=phi;Password=p@ss")]
    [InlineData("Host=db;Database=telemetry", "Host=db;Database=telemetry")]
    public void Address_IsAPathOrPostgreSql(string given, string? expected) => Assert.Equal(expected, PostgresAddress.Parse(given)?.ConnectionString);

    [Theory]
    [InlineData("postgresql://phi:secret@db/telemetry?color=red", "'color' is not one of")]
    [InlineData("Host=db;Colour=red;Password=secret", "Colour")]
    public void Address_ThatIsWrong_SaysWhatWithoutThePassword(string given, string part)
    {
        var failure = Assert.Throws<TelemetryException>(() => PostgresAddress.Parse(given));

        Assert.Contains(part, failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret", failure.Message, StringComparison.Ordinal);
    }
}
