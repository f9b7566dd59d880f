using Phi.Postgres;
using Phi.Telemetry.Store;

namespace Phi.Telemetry.Tests;

/// <summary><c>phi telemetry migrate</c>, on either database.</summary>
public sealed class MigratorTests(PostgresFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Migrate_ForwardBackAndForward_AppliesAndUndoesTheSame(bool isPostgres)
    {
        using ITestDatabase database = isPostgres ? new PostgresDatabase(fixture) : new SqliteDatabase();

        var first = await MigrateAsync(database.Address, null);
        var again = await MigrateAsync(database.Address, null);
        var back = await MigrateAsync(database.Address, first.Applied[0]);
        var forth = await MigrateAsync(database.Address, "Audit");
        await using var store = await TelemetryStore.OpenAsync(database.Address, TimeProvider.System, Ct);

        Assert.Equal((first.Applied[^1], 0), (first.Target, first.Undone.Count));
        Assert.True(first.Applied.Count > 2);
        Assert.Equal((0, 0), (again.Applied.Count, again.Undone.Count));
        Assert.Equal(first.Applied.Skip(1).Reverse(), back.Undone);
        Assert.Equal(first.Applied.Skip(1).Take(forth.Applied.Count), forth.Applied);
        Assert.EndsWith("_Audit", forth.Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_ToWhatThereIsNot_NamesWhatThereIs()
    {
        using var database = new SqliteDatabase();

        var failure = await Assert.ThrowsAsync<TelemetryException>(() => MigrateAsync(database.Address, "Nothing"));

        Assert.Contains("'Nothing'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("_Initial", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_WhileTheServerIsDown_WaitsForIt()
    {
        using var server = new PostgresServer("fsync=off");
        var address = server.CreateDatabase();
        server.Close();
        var waits = new List<string>();

        var report = await TelemetryMigrator.MigrateAsync(
            address,
            null,
            TimeSpan.FromMinutes(2),
            why =>
            {
                waits.Add(why);
                server.Start();
            },
            TimeProvider.System,
            Ct);

        Assert.Single(waits);
        Assert.NotEmpty(report.Applied);
    }

    [Fact]
    public async Task Migrate_WhileTheServerStaysDown_EndsWithWhatToDo()
    {
        using var server = new PostgresServer("fsync=off");
        var address = server.CreateDatabase();
        server.Close();

        var failure = await Assert.ThrowsAsync<TelemetryException>(() => MigrateAsync(address, null));

        Assert.Contains("was not up within 0 s", failure.Message, StringComparison.Ordinal);
        Assert.Contains("--wait", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_ADatabaseThatIsNotThere_DoesNotWait()
    {
        var failure = await Assert.ThrowsAsync<TelemetryException>(() =>
            TelemetryMigrator.MigrateAsync(fixture.Server.CreateDatabase().Replace("Database=d", "Database=e", StringComparison.Ordinal) + ";Username=nobody", null, TimeSpan.FromHours(1), _ => Assert.Fail("it waits"), TimeProvider.System, Ct));

        Assert.Contains("refuses", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Migrate_AfterANewerVersion_SaysSo()
    {
        using var database = new SqliteDatabase();
        await MigrateAsync(database.Address, null);
        await using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={database.Address};Pooling=False"))
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('99990101000000_Newer', '99.0.0')";
            await command.ExecuteNonQueryAsync(Ct);
        }

        Assert.Equal(["99990101000000_Newer"], (await MigrateAsync(database.Address, null)).Unknown);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OpenReadOnly_AStore_IsReadAndNotWritten(bool isPostgres)
    {
        using ITestDatabase database = isPostgres ? new PostgresDatabase(fixture) : new SqliteDatabase();
        await MigrateAsync(database.Address, null);
        await using var store = TelemetryStore.OpenReadOnly(database.Address, TimeProvider.System);

        Assert.Empty(await store.AuditsAsync(null, null, 10, Ct));
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => store.Retention.MarkSweptAsync(DateTimeOffset.UnixEpoch, Ct));
        Assert.Null(await store.Retention.LastSweepAsync(Ct));
    }

    private static Task<MigrationReport> MigrateAsync(string database, string? target) => TelemetryMigrator.MigrateAsync(database, target, TimeSpan.Zero, _ => { }, TimeProvider.System, Ct);
}
