using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Phi.Telemetry.Model;

namespace Phi.Telemetry.Store;

/// <summary>How a database's schema stands against this version's. Read without changing anything.</summary>
/// <param name="Applied">Migrations that the database has.</param>
/// <param name="Pending">Those that it lacks; opening the store applies them.</param>
/// <param name="Unknown">Those that this version does not know: a newer one has used it.</param>
public sealed record SchemaState(IReadOnlyList<string> Applied, IReadOnlyList<string> Pending, IReadOnlyList<string> Unknown)
{
    /// <param name="database">As <see cref="TelemetryStore.OpenAsync"/> takes it.</param>
    /// <returns>Null: a SQLite file that is not there yet.</returns>
    /// <exception cref="TelemetryException">It cannot be read.</exception>
    public static async Task<SchemaState?> ReadAsync(string database, CancellationToken ct)
    {
        try
        {
            if (PostgresAddress.Parse(database) is { } address)
            {
                await using var postgres = new PostgresTelemetryContext(new DbContextOptionsBuilder<PostgresTelemetryContext>().UseNpgsql(address.ConnectionString).Options);
                return await ReadAsync(postgres, ct);
            }

            if (!File.Exists(database))
            {
                return null;
            }

            var path = new SqliteConnectionStringBuilder { DataSource = database, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString();
            await using var sqlite = new SqliteTelemetryContext(new DbContextOptionsBuilder<SqliteTelemetryContext>().UseSqlite(path).Options);
            return await ReadAsync(sqlite, ct);
        }
        catch (Exception e) when (e is DbException or InvalidOperationException { InnerException: DbException } or TimeoutException)
        {
            throw new TelemetryException((e.InnerException as DbException ?? e).Message, e);
        }
    }

    /// <summary>What keeps this version from using the database as it is, and the remedy; null: nothing does.</summary>
    /// <param name="database">What messages call it.</param>
    public (string Problem, string Remedy)? Mismatch(string database) => this switch
    {
        { Unknown: [var newer, ..] } => ($"{database} has the schema of a newer version: {newer}", "use that version of phi, or undo it with that version: phi telemetry migrate --to"),
        { Applied: [] } => ($"{database} has no schema yet", "the operator makes it when it starts"),
        { Pending: [_, ..] } => ($"{database} lacks {Pending.Count} migrations of this version: {string.Join(", ", Pending)}", "phi telemetry migrate, or start this version's operator, which applies them"),
        _ => null,
    };

    private static async Task<SchemaState> ReadAsync(TelemetryContext context, CancellationToken ct)
    {
        List<string> applied = [.. await context.Database.GetAppliedMigrationsAsync(ct)];
        List<string> known = [.. context.Database.GetMigrations()];
        return new SchemaState(applied, [.. known.Except(applied)], [.. applied.Except(known)]);
    }
}
