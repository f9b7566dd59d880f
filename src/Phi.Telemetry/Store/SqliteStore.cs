using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Phi.Api.Agent;
using Phi.Telemetry.Model;

namespace Phi.Telemetry.Store;

/// <summary>One SQLite file, with a write-ahead log: one writer at a time, and readers never wait for it. Processes may share it.</summary>
internal sealed class SqliteStore : TelemetryStore
{
    private readonly DbContextOptions<SqliteTelemetryContext> _options;
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly SeriesIds _ids;
    private SqliteWriter? _writer;

    private SqliteStore(string path, SqliteOpenMode mode, TimeProvider time)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, DefaultTimeout = 30 }.ToString();
        _options = new DbContextOptionsBuilder<SqliteTelemetryContext>().UseSqlite(_connectionString).Options;
        _ids = new SeriesIds(time);
    }

    public static new async Task<SqliteStore> OpenAsync(string path, TimeProvider time, CancellationToken ct)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var store = new SqliteStore(path, SqliteOpenMode.ReadWriteCreate, time);
        await using var context = store.CreateContext();
        await context.Database.MigrateAsync(ct);
        await context.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL", ct);
        return store;
    }

    public static new SqliteStore OpenReadOnly(string path, TimeProvider time) => new(path, SqliteOpenMode.ReadOnly, time);

    public override async Task IngestAsync(EventBatch batch, CancellationToken ct)
    {
        var points = PointBatch.From(batch);
        await _writing.WaitAsync(ct);
        try
        {
            _writer ??= await SqliteWriter.OpenAsync(_connectionString, _ids, ct);
            await _writer.WriteAsync(batch, points, ct);
        }
        catch (SqliteException)
        {
            // Its statements may be half through.
            _writer?.Dispose();
            _writer = null;
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    public override ValueTask DisposeAsync()
    {
        _writer?.Dispose();
        _writing.Dispose();
        SqliteConnection.ClearPool(new SqliteConnection(_connectionString));
        return ValueTask.CompletedTask;
    }

    private protected override SqliteTelemetryContext CreateContext() => new(_options);

    internal override Task<T> ReadAsync<T>(Func<Task<T>> read, CancellationToken ct) => read();

    internal override async Task<T> WriteInTurnAsync<T>(Func<Task<T>> write, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            return await write();
        }
        finally
        {
            _writing.Release();
        }
    }

    internal override async Task<DbConnection> OpenConnectionAsync(CancellationToken ct)
    {
        var connection = new SqliteConnection(_connectionString);
        await connection.OpenAsync(ct);
        return connection;
    }
}
