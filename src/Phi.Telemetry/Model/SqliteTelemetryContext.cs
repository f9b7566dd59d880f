using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Phi.Telemetry.Model;

/// <summary>The schema in SQLite.</summary>
internal sealed class SqliteTelemetryContext(DbContextOptions<SqliteTelemetryContext> options) : TelemetryContext(options)
{
    /// <summary>How <c>dotnet ef migrations add</c> finds the model.</summary>
    internal sealed class Factory : IDesignTimeDbContextFactory<SqliteTelemetryContext>
    {
        public SqliteTelemetryContext CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<SqliteTelemetryContext>().UseSqlite("Data Source=design.db").Options);
    }
}
