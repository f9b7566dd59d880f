using Npgsql;

namespace Phi.Telemetry.Store;

/// <summary>Reads how PostgreSQL is named: as libpq's URL or as Npgsql's key words. The password may come from PGPASSWORD or ~/.pgpass.</summary>
internal static class PostgresAddress
{
    /// <summary>Null: it is not PostgreSQL but a path.</summary>
    /// <exception cref="TelemetryException">It is PostgreSQL, and wrong.</exception>
    public static NpgsqlConnectionStringBuilder? Parse(string database)
    {
        try
        {
            if (Uri.TryCreate(database, UriKind.Absolute, out var url) && url.Scheme is "postgres" or "postgresql")
            {
                return FromUrl(url);
            }

            return database.Contains("Host=", StringComparison.OrdinalIgnoreCase) ? new NpgsqlConnectionStringBuilder(database) : null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The text may hold a password.
            throw new TelemetryException($"the telemetry database's address is not one of PostgreSQL: {e.Message}. Write postgresql://USER@HOST:PORT/DATABASE, or Host=…;Database=…;Username=….", e);
        }
    }

    private static NpgsqlConnectionStringBuilder FromUrl(Uri url)
    {
        var address = new NpgsqlConnectionStringBuilder { Host = url.Host, Database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/')) };
        if (url.Port > 0)
        {
            address.Port = url.Port;
        }

        var user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
        {
            address.Username = Uri.UnescapeDataString(user[0]);
        }

        if (user.Length > 1)
        {
            address.Password = Uri.UnescapeDataString(user[1]);
        }

        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (pair, "");
            var key = name switch
            {
                "sslmode" => "SSL Mode",
                "sslrootcert" => "Root Certificate",
                "sslcert" => "SSL Certificate",
                "sslkey" => "SSL Key",
                "application_name" => "Application Name",
                "connect_timeout" => "Timeout",
                _ => throw new FormatException($"'{name}' is not one of sslmode, sslrootcert, sslcert, sslkey, application_name, connect_timeout"),
            };
            // verify-full is VerifyFull here.
            address[key] = name == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return address;
    }
}
