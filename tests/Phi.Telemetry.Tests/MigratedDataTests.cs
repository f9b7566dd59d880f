using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Npgsql;
using Phi.Api.Agent;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Goodput;
using Phi.Telemetry.Series;
using Phi.Telemetry.Store;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Tests;

/// <summary>A database with rows in every table goes back to each older schema and forward again: what both schemas hold is there at every stop.</summary>
public sealed class MigratedDataTests(PostgresFixture fixture)
{
    private const string Run = "11111111-2222-3333-4444-555555555555";
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddHours(1);

    /// <summary>Columns that tell the rows of a table from each other, where it has them.</summary>
    private static readonly string[] Key = ["id", "series_id", "attempt", "step", "bucket"];

    /// <summary>What a way back to a migration and forward again costs: tables, or columns of tables that stay.</summary>
    private static readonly Dictionary<string, string[]> GivenUp = new()
    {
        ["Goodput"] = ["evaluation_problems", "evaluations"],
        ["Audit"] = ["evaluation_problems", "evaluations", "goodput", "upkeep"],
        ["Rollups"] = ["audit", "evaluation_problems", "evaluations", "goodput", "upkeep"],
        ["CheckpointStall"] = ["audit", "evaluation_problems", "evaluations", "goodput", "interruptions", "marks", "transitions", "upkeep"],
        ["Initial"] = ["audit", "checkpoints.stall_seconds", "evaluation_problems", "evaluations", "goodput", "interruptions", "marks", "transitions", "upkeep"],
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Goodput")]
    [InlineData("Audit")]
    [InlineData("Rollups")]
    [InlineData("CheckpointStall")]
    [InlineData("Initial")]
    public async Task Sqlite_BackAndForward_KeepsWhatBothSchemasHold(string target)
    {
        using var database = new SqliteDatabase();

        Assert.Equal(GivenUp[target], await BackAndForwardAsync(database, target));
    }

    /// <summary>Its first migration has the tables that the other database's third brought.</summary>
    [Theory]
    [InlineData("Goodput", "Goodput")]
    [InlineData("Audit", "Audit")]
    [InlineData("Initial", "Rollups")]
    public async Task Postgres_BackAndForward_KeepsWhatBothSchemasHold(string target, string asSqlite)
    {
        using var database = new PostgresDatabase(fixture);

        Assert.Equal(GivenUp[asSqlite], await BackAndForwardAsync(database, target));
    }

    /// <summary>Returns the tables, or columns of those that stay, whose rows are not as they were.</summary>
    private static async Task<IReadOnlyList<string>> BackAndForwardAsync(ITestDatabase database, string target)
    {
        await FillAsync(database.Address);
        var before = await ReadAsync(database.Address);
        Assert.All(before, table => Assert.NotEmpty(table.Value));

        await MigrateAsync(database.Address, target);
        var back = await ReadAsync(database.Address);
        Assert.Empty(Differences(back, before));
        await MigrateAsync(database.Address, null);
        var forth = await ReadAsync(database.Address);

        Assert.Equal(before.Keys, forth.Keys);
        await using var store = await TelemetryStore.OpenAsync(database.Address, TimeProvider.System, Ct);
        var curve = await store.SeriesAsync(new SeriesQuery { Run = Run, Metric = "loss", Buckets = 10 }, Ct);
        Assert.Equal((519, 1), (curve.Columns.Count.Sum(), curve.Columns.NonFinite.Sum()));
        Assert.Equal([(1, 1L), (2, 501L)], (await store.RunAsync(Run, Ct))!.Attempts.Select(attempt => (attempt.Attempt, attempt.FirstStep)));
        await FillAsync(database.Address);
        var again = Differences(before, await ReadAsync(database.Address));
        // Each entry of the audit log is a new one, and a checkpoint is stored once.
        Assert.DoesNotContain(again, name => !name.StartsWith("audit", StringComparison.Ordinal) && name != "checkpoints.stall_seconds");
        return [.. Differences(before, forth).Order(StringComparer.Ordinal)];
    }

    /// <summary>A row or more in every table, by what agents, operator and dashboard call. Twice is the same, but for the audit log.</summary>
    private static async Task FillAsync(string address)
    {
        await using var store = await TelemetryStore.OpenAsync(address, TimeProvider.System, Ct);
        var first = Batches.Loss(Run, 1, 1, 510, step => step == 40 ? double.NaN : 1.0 / step);
        await store.IngestAsync(first with { Marks = [new AttemptMark(AttemptMark.Joined, Start)], Checkpoints = [new CheckpointEvent { Step = 500, Time = Start.AddSeconds(500), Uri = "default/job/step-00000500", Bytes = 1 << 20, Seconds = 2.5, StallSeconds = 0.25 }] }, Ct);
        await store.IngestAsync(Batches.Loss(Run, 2, 501, 520, step => 2.0 / step), Ct);
        await store.IngestAsync(Evaluations.Of(Run, 1, 500, [true, false]), Ct);
        var ended = new Interruption(1, Start.AddSeconds(511), "NodeSilent", "node-1 says nothing", false, 510, 500, 10);
        await store.RecordAsync([new StoryPage(Run, "default", "job", [new Transition(Start, "Placed", "2 pods placed", false, 1, "Pending")], [ended])], Ct);
        var goodput = new AttemptGoodput { Attempt = 1, Steps = 510, FirstStep = 1, LastStep = 510, Start = Start, End = Start.AddSeconds(510), ProductiveSeconds = 500, LostSeconds = 10, LostFromStep = 501, Loss = 0.5 };
        await store.Goodput.WriteAsync([new RunGoodput(Run, [goodput])], Ct);
        await store.AuditAsync(new AuditEntry(Start, "ada@example.org", "operator", "suspend", "default", "TrainingJob", "job", "Done", ""), Ct);
        await store.Retention.MarkSweptAsync(Start, Ct);
    }

    /// <summary>Every table but EF's own, and each row's values by column.</summary>
    private static async Task<SortedDictionary<string, IReadOnlyList<SortedDictionary<string, string>>>> ReadAsync(string address)
    {
        var postgres = PostgresAddress.Parse(address);
        await using DbConnection connection = postgres is null ? new SqliteConnection($"Data Source={address};Pooling=False") : new NpgsqlConnection($"{postgres.ConnectionString};Pooling=false");
        await connection.OpenAsync(Ct);
        var names = await RowsAsync(connection, postgres is null ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'" : "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'");
        var tables = new SortedDictionary<string, IReadOnlyList<SortedDictionary<string, string>>>(StringComparer.Ordinal);
        foreach (var name in names.Select(row => row["name"]).Where(name => !name.StartsWith("__EF", StringComparison.Ordinal)))
        {
            tables[name] = await RowsAsync(connection, $"SELECT * FROM {name}");
        }

        return tables;
    }

    private static async Task<IReadOnlyList<SortedDictionary<string, string>>> RowsAsync(DbConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var rows = new List<SortedDictionary<string, string>>();
        while (await reader.ReadAsync(Ct))
        {
            rows.Add(new SortedDictionary<string, string>(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, at => Convert.ToString(reader.GetValue(at), CultureInfo.InvariantCulture)!), StringComparer.Ordinal));
        }

        return rows;
    }

    /// <summary>Tables of the first whose rows are not as many in the second, and columns of the others whose values differ.</summary>
    private static IEnumerable<string> Differences(
        SortedDictionary<string, IReadOnlyList<SortedDictionary<string, string>>> some, SortedDictionary<string, IReadOnlyList<SortedDictionary<string, string>>> others)
    {
        foreach (var (name, rows) in some)
        {
            var there = others.GetValueOrDefault(name, []);
            var differing = rows[0].Keys.Where(column => !Values(rows, column).SequenceEqual(Values(there, column))).Select(column => $"{name}.{column}");
            foreach (var difference in there.Count == rows.Count ? differing : [name])
            {
                yield return difference;
            }
        }

        static IEnumerable<string?> Values(IEnumerable<SortedDictionary<string, string>> rows, string column) =>
            rows.OrderBy(row => string.Join(' ', Key.Select(part => row.GetValueOrDefault(part))), StringComparer.Ordinal).Select(row => row.GetValueOrDefault(column));
    }

    private static Task<MigrationReport> MigrateAsync(string database, string? target) => TelemetryMigrator.MigrateAsync(database, target, TimeSpan.Zero, _ => { }, TimeProvider.System, Ct);
}
