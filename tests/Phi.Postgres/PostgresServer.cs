using System.Diagnostics;
using Npgsql;

namespace Phi.Postgres;

/// <summary>
/// A PostgreSQL server of its own, as a process with its data in a temporary folder. It listens on a socket in that folder, so that any
/// number of them run beside each other.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    private const string Ready = "database system is ready to accept connections";
    private readonly string _folder = Directory.CreateTempSubdirectory("phi-pg-").FullName;
    private readonly List<string> _said = [];
    private readonly string[] _settings;
    private Process? _process;

    /// <param name="settings">More of the server's settings, such as <c>fsync=off</c>.</param>
    public PostgresServer(params string[] settings)
    {
        _settings = settings;
        if (IsRoot)
        {
            Run("chown", "postgres:postgres", _folder);
        }

        Run([.. AsUser, Program("initdb"), "--pgdata", Data, "--username", "phi", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]);
        Start();
    }

    private string Data => Path.Combine(_folder, "data");

    /// <summary>The server does not run as root.</summary>
    private static bool IsRoot => Environment.UserName == "root";

    private static string[] AsUser => IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];

    /// <summary>A new, empty database.</summary>
    /// <returns>How it is named to the product.</returns>
    public string CreateDatabase()
    {
        var name = $"d{Guid.NewGuid():N}";
        using var source = NpgsqlDataSource.Create(Address("postgres"));
        using var command = source.CreateCommand($"CREATE DATABASE {name}");
        command.ExecuteNonQuery();
        return Address(name);
    }

    /// <summary>Starts it, or starts it again with the data it has.</summary>
    public void Start()
    {
        string[] command = [.. AsUser, Program("postgres"), "-D", Data, "-k", _folder, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0777", .. _settings.SelectMany(setting => new[] { "-c", setting })];
        _process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        while (_process.StandardError.ReadLine() is { } line)
        {
            _said.Add(line);
            if (line.Contains(Ready, StringComparison.Ordinal))
            {
                _ = _process.StandardError.ReadToEndAsync();
                _ = _process.StandardOutput.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"PostgreSQL ended before it listened:\n{string.Join('\n', _said)}");
    }

    /// <summary>Ends it: connections are cut off, what is committed is kept.</summary>
    public void Stop() => End("QUIT");

    /// <summary>Ends it in good order, with all that it knows in its files.</summary>
    public void Close() => End("INT");

    public void Dispose()
    {
        Stop();
        Directory.Delete(_folder, recursive: true);
    }

    private void End(string signal)
    {
        if (_process is { } process)
        {
            Run("kill", "-s", signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            process.WaitForExit();
            process.Dispose();
            _process = null;
            NpgsqlConnection.ClearAllPools();
        }
    }

    private string Address(string database) => new NpgsqlConnectionStringBuilder { Host = _folder, Username = "phi", Database = database }.ConnectionString;

    private static void Run(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}: {output.Result}{error.Result}");
        }
    }

    private static string Program(string name) =>
        Directory.Exists("/usr/lib/postgresql") && Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin", name)).Where(File.Exists).Order(StringComparer.Ordinal).LastOrDefault() is { } found
            ? found
            : throw new InvalidOperationException($"PostgreSQL's {name} is not in /usr/lib/postgresql; ./phi test installs it, and so does: apt-get install postgresql");
}
