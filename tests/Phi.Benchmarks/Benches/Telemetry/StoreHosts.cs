using Npgsql;
using Phi.Postgres;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>Where a store keeps its data.</summary>
internal interface IStoreHost : IDisposable
{
    string Title { get; }

    string Address { get; }

    /// <summary>Does what the database does by itself in time.</summary>
    void Tidy();

    /// <summary>Ends it and starts it again, so that it has nothing in memory.</summary>
    void Restart();
}

/// <summary>PostgreSQL with its own settings, so every commit is on disk.</summary>
internal sealed class PostgresHost : IStoreHost
{
    public const string Name = "postgresql";
    private readonly PostgresServer _server;

    public PostgresHost()
    {
        try
        {
            _server = new PostgresServer();
        }
        catch (InvalidOperationException e)
        {
            throw new BenchException(e.Message);
        }

        Address = _server.CreateDatabase();
    }

    public string Title => "PostgreSQL";

    public string Address { get; }

    public void Tidy()
    {
        using var source = NpgsqlDataSource.Create(Address);
        using var command = source.CreateCommand("VACUUM ANALYZE");
        command.CommandTimeout = 600;
        command.ExecuteNonQuery();
    }

    public void Restart()
    {
        _server.Close();
        _server.Start();
    }

    public void Dispose() => _server.Dispose();
}

internal sealed class SqliteHost : IStoreHost
{
    public const string Name = "sqlite";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi bench telemetry ").FullName;

    public string Title => "SQLite";

    public string Address => Path.Combine(_folder, "telemetry.db");

    public void Tidy()
    {
        // It has nothing to tidy.
    }

    public void Restart()
    {
        // It is in this process, and begins again with each store that is opened.
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
