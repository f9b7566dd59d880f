using Phi.Postgres;
using Phi.Telemetry.Store;

[assembly: AssemblyFixture(typeof(Phi.Telemetry.Tests.PostgresFixture))]

namespace Phi.Telemetry.Tests;

/// <summary>One server for all tests; each has a database of its own. What it writes need not outlive the machine.</summary>
public sealed class PostgresFixture : IDisposable
{
    public PostgresServer Server { get; } = new("fsync=off");

    public void Dispose() => Server.Dispose();
}

/// <summary>An empty database of either kind.</summary>
public interface ITestDatabase : IDisposable
{
    string Address { get; }
}

public sealed class SqliteDatabase : ITestDatabase
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi telemetry ").FullName;

    public string Address => Path.Combine(_folder, "telemetry.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

public sealed class PostgresDatabase(PostgresFixture fixture) : ITestDatabase
{
    public string Address { get; } = fixture.Server.CreateDatabase();

    public void Dispose()
    {
        // It goes with the server.
    }
}

/// <summary>Tests that hold for the store on either database.</summary>
public abstract class StoreTests(ITestDatabase database) : IAsyncLifetime
{
    protected const string Run = "11111111-2222-3333-4444-555555555555";

    private TelemetryStore? _store;

    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected string Address => database.Address;

    protected TelemetryStore Store => _store!;

    public async ValueTask InitializeAsync() => _store = await TelemetryStore.OpenAsync(database.Address, TimeProvider.System, Ct);

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        database.Dispose();
        GC.SuppressFinalize(this);
    }
}
