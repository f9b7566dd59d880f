using Microsoft.Data.Sqlite;
using Phi.Cli.Commands;
using Phi.Telemetry.Audit;
using Phi.Telemetry.Store;

namespace Phi.Cli.Tests;

/// <summary>phi top reads the telemetry store as it is.</summary>
public sealed class TopCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi top ").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(_folder, "telemetry.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Open_ASchemaOfThisVersion_IsReadAlone()
    {
        await MigrateAsync(null);
        using var told = new StringWriter();

        await using var store = await TopCommand.OpenAsync(Database, told, Ct);

        Assert.Equal("", told.ToString());
        Assert.Empty(await store!.RunsAsync(null, null, 10, Ct));
        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => store.AuditAsync(new AuditEntry(DateTimeOffset.UnixEpoch, "ada", "operator", "suspend", "default", "TrainingJob", "job", "Done", ""), Ct));
        Assert.Contains("readonly", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AnOlderSchema_SaysWhatItLacksAndLeavesItSo()
    {
        var all = (await MigrateAsync(null)).Applied;
        await MigrateAsync(all[^2]);
        using var told = new StringWriter();

        Assert.Null(await TopCommand.OpenAsync(Database, told, Ct));

        Assert.Equal($"no loss so far is shown: {Database} lacks 1 migrations of this version: {all[^1]}; phi telemetry migrate, or start this version's operator, which applies them\n", told.ToString());
        Assert.Equal([all[^1]], (await SchemaState.ReadAsync(Database, Ct))!.Pending);
    }

    [Fact]
    public async Task Open_ANewerSchema_SaysWhoseItIs()
    {
        await MigrateAsync(null);
        await using (var connection = new SqliteConnection($"Data Source={Database};Pooling=false"))
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO __EFMigrationsHistory VALUES ('99990101000000_Newer', '99.0.0')";
            await command.ExecuteNonQueryAsync(Ct);
        }

        using var told = new StringWriter();

        Assert.Null(await TopCommand.OpenAsync(Database, told, Ct));
        Assert.Contains("has the schema of a newer version: 99990101000000_Newer; use that version of phi", told.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AFileThatIsNotThere_IsAnErrorAndMakesNone()
    {
        var refusal = await Assert.ThrowsAsync<CliException>(() => TopCommand.OpenAsync(Database, TextWriter.Null, Ct));

        Assert.Equal(ExitCodes.Usage, refusal.ExitCode);
        Assert.StartsWith($"there is no {Database};", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    private Task<MigrationReport> MigrateAsync(string? target) => TelemetryMigrator.MigrateAsync(Database, target, TimeSpan.Zero, _ => { }, TimeProvider.System, Ct);
}
