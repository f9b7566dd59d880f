using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Phi.Telemetry.Model;

/// <summary>The telemetry schema; table and column names in snake case, as SQL users expect.</summary>
internal sealed class TelemetryContext(DbContextOptions<TelemetryContext> options) : DbContext(options)
{
    public DbSet<RunRow> Runs => Set<RunRow>();

    public DbSet<SeriesRow> Series => Set<SeriesRow>();

    public DbSet<MetricPointRow> Points => Set<MetricPointRow>();

    public DbSet<CheckpointRow> Checkpoints => Set<CheckpointRow>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<RunRow>(run =>
        {
            run.ToTable("runs");
            run.Property(row => row.Id).HasColumnName("id");
            run.Property(row => row.Namespace).HasColumnName("namespace");
            run.Property(row => row.Job).HasColumnName("job");
            run.HasKey(row => row.Id);
        });
        modelBuilder.Entity<SeriesRow>(series =>
        {
            series.ToTable("series");
            series.Property(row => row.Id).HasColumnName("id");
            series.Property(row => row.RunId).HasColumnName("run_id");
            series.Property(row => row.Attempt).HasColumnName("attempt");
            series.Property(row => row.Rank).HasColumnName("rank");
            series.Property(row => row.Metric).HasColumnName("metric");
            series.HasKey(row => row.Id);
            series.HasIndex(row => new { row.RunId, row.Metric, row.Rank, row.Attempt }).IsUnique();
        });
        modelBuilder.Entity<MetricPointRow>(point =>
        {
            point.ToTable("metric_point");
            point.Property(row => row.SeriesId).HasColumnName("series_id");
            point.Property(row => row.Step).HasColumnName("step");
            point.Property(row => row.Ts).HasColumnName("ts");
            point.Property(row => row.Value).HasColumnName("value");
            point.Property(row => row.NonFinite).HasColumnName("nonfinite");
            point.HasKey(row => new { row.SeriesId, row.Step });
        });
        modelBuilder.Entity<CheckpointRow>(checkpoint =>
        {
            checkpoint.ToTable("checkpoints");
            checkpoint.Property(row => row.RunId).HasColumnName("run_id");
            checkpoint.Property(row => row.Step).HasColumnName("step");
            checkpoint.Property(row => row.Attempt).HasColumnName("attempt");
            checkpoint.Property(row => row.Ts).HasColumnName("ts");
            checkpoint.Property(row => row.Uri).HasColumnName("uri");
            checkpoint.Property(row => row.Bytes).HasColumnName("bytes");
            checkpoint.Property(row => row.Seconds).HasColumnName("seconds");
            checkpoint.Property(row => row.StallSeconds).HasColumnName("stall_seconds");
            checkpoint.HasKey(row => new { row.RunId, row.Step });
        });
    }
}

/// <summary>How <c>dotnet ef migrations add</c> finds the model.</summary>
internal sealed class TelemetryContextFactory : IDesignTimeDbContextFactory<TelemetryContext>
{
    public TelemetryContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<TelemetryContext>().UseSqlite("Data Source=design.db").Options);
}
