using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Phi.Telemetry.Model;

/// <summary>The schema in PostgreSQL.</summary>
internal sealed class PostgresTelemetryContext(DbContextOptions<PostgresTelemetryContext> options) : TelemetryContext(options)
{
    /// <summary>How <c>dotnet ef migrations add</c> finds the model.</summary>
    internal sealed class Factory : IDesignTimeDbContextFactory<PostgresTelemetryContext>
    {
        public PostgresTelemetryContext CreateDbContext(string[] args) => new(new DbContextOptionsBuilder<PostgresTelemetryContext>().UseNpgsql("Host=design").Options);
    }
}
