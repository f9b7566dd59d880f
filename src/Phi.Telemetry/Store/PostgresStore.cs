using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Phi.Api.Agent;
using Phi.Telemetry.Model;

namespace Phi.Telemetry.Store;

/// <summary>A PostgreSQL database; any number of replicas may write to it.</summary>
internal sealed class PostgresStore : TelemetryStore
{
    private readonly NpgsqlDataSource _readers;
    private readonly NpgsqlDataSource _writers;
    private readonly DbContextOptions<PostgresTelemetryContext> _options;
    private readonly SeriesIds _ids;

    private PostgresStore(NpgsqlConnectionStringBuilder address, TimeProvider time)
    {
        address.ApplicationName ??= "phi-telemetry";
        // Compiled plans: the same few statements come again and again.
        address.MaxAutoPrepare = 20;
        _readers = NpgsqlDataSource.Create(address);
        // A writer's connection keeps its stage, a temporary table, from batch to batch.
        _writers = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(address.ConnectionString) { NoResetOnClose = true, MaxPoolSize = 8 });
        _options = new DbContextOptionsBuilder<PostgresTelemetryContext>().UseNpgsql(_readers).Options;
        _ids = new SeriesIds(time);
    }

    public static async Task<PostgresStore> OpenAsync(NpgsqlConnectionStringBuilder address, TimeProvider time, CancellationToken ct)
    {
        var store = new PostgresStore(address, time);
        try
        {
            await using var context = store.CreateContext();
            await context.Database.MigrateAsync(ct);
            return store;
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException { InnerException: NpgsqlException })
        {
            await store.DisposeAsync();
            throw new TelemetryException(
                $"the telemetry database {address.Database} on {address.Host}:{address.Port} cannot be opened as {address.Username ?? "the current user"}: {(e.InnerException ?? e).Message}. Check that it is there (createdb {address.Database}), that the address is right, and that the password is given (PGPASSWORD).",
                e);
        }
    }

    public static PostgresStore OpenReadOnly(NpgsqlConnectionStringBuilder address, TimeProvider time)
    {
        address.Options = $"{address.Options} -c default_transaction_read_only=on".TrimStart();
        return new PostgresStore(address, time);
    }

    public override async Task IngestAsync(EventBatch batch, CancellationToken ct)
    {
        var points = PointBatch.From(batch);
        await using var connection = await _writers.OpenConnectionAsync(ct);
        await new PostgresWriter(connection, _ids).WriteAsync(batch, points, ct);
    }

    public override async ValueTask DisposeAsync()
    {
        await _readers.DisposeAsync();
        await _writers.DisposeAsync();
    }

    private protected override PostgresTelemetryContext CreateContext() => new(_options);

    /// <summary>After a restart of the server every connection that was kept is dead, and fails once.</summary>
    internal override async Task<T> ReadAsync<T>(Func<Task<T>> read, CancellationToken ct)
    {
        try
        {
            return await read();
        }
        catch (Exception e) when ((e as NpgsqlException ?? e.InnerException as NpgsqlException) is { IsTransient: true } && !ct.IsCancellationRequested)
        {
            _readers.Clear();
            return await read();
        }
    }

    internal override Task<T> WriteInTurnAsync<T>(Func<Task<T>> write, CancellationToken ct) => write();

    internal override async Task<DbConnection> OpenConnectionAsync(CancellationToken ct) => await _readers.OpenConnectionAsync(ct);
}
