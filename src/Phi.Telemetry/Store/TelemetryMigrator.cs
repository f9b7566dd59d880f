using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Phi.Telemetry.Model;

namespace Phi.Telemetry.Store;

/// <summary>Brings a telemetry database's schema to a migration, forward or back, as opening the store does to the newest.</summary>
public static class TelemetryMigrator
{
    /// <summary>Between two tries while the server is not up.</summary>
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Migrates; a server that is not up yet is waited for. What else is wrong is an error at once.</summary>
    /// <param name="database">As <see cref="TelemetryStore.OpenAsync"/> takes it.</param>
    /// <param name="target">A migration's id or its name without the time; null: the newest. An older one undoes what came after it, with its data.</param>
    /// <param name="onWait">Hears once why there is nothing but waiting.</param>
    /// <exception cref="TelemetryException">There is no such migration, the database refuses, or the server was not up in time.</exception>
    public static async Task<MigrationReport> MigrateAsync(string database, string? target, TimeSpan wait, Action<string> onWait, TimeProvider time, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(onWait);
        ArgumentNullException.ThrowIfNull(time);
        for (var (began, isFirst) = (time.GetTimestamp(), true); ; isFirst = false)
        {
            try
            {
                await using var context = Open(database);
                return await MigrateAsync(context, target, ct);
            }
            catch (Exception e) when (Cause(e) is { } cause && !ct.IsCancellationRequested)
            {
                if (!IsNotUp(cause))
                {
                    throw new TelemetryException($"the telemetry database refuses: {cause.Message}. Check its address, that it is there, and the password (PGPASSWORD).", e);
                }

                if (time.GetElapsedTime(began) + RetryPeriod > wait)
                {
                    throw new TelemetryException($"the telemetry database was not up within {wait.TotalSeconds:0} s: {cause.Message}. Start it, check the address, or wait longer (--wait).", e);
                }

                if (isFirst)
                {
                    onWait(cause.Message);
                }

                await Task.Delay(RetryPeriod, time, ct);
            }
        }
    }

    private static TelemetryContext Open(string database)
    {
        if (PostgresAddress.Parse(database) is { } address)
        {
            address.ApplicationName ??= "phi-telemetry";
            // One statement after the other; a pool would only keep the connection after the end.
            address.Pooling = false;
            return new PostgresTelemetryContext(new DbContextOptionsBuilder<PostgresTelemetryContext>().UseNpgsql(address.ConnectionString).Options);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(database))!);
        var file = new SqliteConnectionStringBuilder { DataSource = database, DefaultTimeout = 30, Pooling = false }.ToString();
        return new SqliteTelemetryContext(new DbContextOptionsBuilder<SqliteTelemetryContext>().UseSqlite(file).Options);
    }

    private static async Task<MigrationReport> MigrateAsync(TelemetryContext context, string? target, CancellationToken ct)
    {
        var known = context.Database.GetMigrations().ToList();
        var wanted = target is null ? known[^1] : known.Find(id => id == target || id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..] == target)
            ?? throw new TelemetryException($"there is no migration '{target}'; this version knows {string.Join(", ", known)}");
        var before = (await context.Database.GetAppliedMigrationsAsync(ct)).ToList();
        await context.GetService<IMigrator>().MigrateAsync(wanted, ct);
        var after = (await context.Database.GetAppliedMigrationsAsync(ct)).ToList();
        return new MigrationReport(wanted, [.. after.Except(before)], [.. before.Except(after).Reverse()], [.. after.Except(known)]);
    }

    private static Exception? Cause(Exception e) => e is NpgsqlException or SqliteException ? e : e.InnerException is { } inner ? Cause(inner) : null;

    /// <summary>Nobody listens, the name is not known yet, or the server says that it starts or stops (class 57P of SQLSTATE).</summary>
    private static bool IsNotUp(Exception cause) => cause is PostgresException server
        ? server.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.TooManyConnections
        : cause is NpgsqlException { InnerException: SocketException or IOException or TimeoutException };
}
