using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Phi.Telemetry.Model;

/// <summary>The telemetry schema; table and column names in snake case, as SQL users expect. Each provider has its own migrations.</summary>
internal abstract class TelemetryContext(DbContextOptions options) : DbContext(options)
{
    public DbSet<RunRow> Runs => Set<RunRow>();

    public DbSet<AttemptRow> Attempts => Set<AttemptRow>();

    public DbSet<SeriesRow> Series => Set<SeriesRow>();

    public DbSet<MetricPointRow> Points => Set<MetricPointRow>();

    public DbSet<MarkRow> Marks => Set<MarkRow>();

    public DbSet<TransitionRow> Transitions => Set<TransitionRow>();

    public DbSet<InterruptionRow> Interruptions => Set<InterruptionRow>();

    public DbSet<CheckpointRow> Checkpoints => Set<CheckpointRow>();

    public DbSet<GoodputRow> Goodput => Set<GoodputRow>();

    public DbSet<EvaluationRow> Evaluations => Set<EvaluationRow>();

    public DbSet<EvaluationProblemRow> EvaluationProblems => Set<EvaluationProblemRow>();

    public DbSet<AuditRow> Audits => Set<AuditRow>();

    public DbSet<UpkeepRow> Upkeep => Set<UpkeepRow>();

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
        modelBuilder.Entity<AttemptRow>(attempt =>
        {
            attempt.ToTable("attempts");
            attempt.Property(row => row.RunId).HasColumnName("run_id");
            attempt.Property(row => row.Attempt).HasColumnName("attempt");
            attempt.Property(row => row.FirstStep).HasColumnName("first_step");
            attempt.HasKey(row => new { row.RunId, row.Attempt });
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
        modelBuilder.Entity<Rollup16Row>(rollup => Rollup(rollup, "metric_rollup_16"));
        modelBuilder.Entity<Rollup256Row>(rollup => Rollup(rollup, "metric_rollup_256"));
        Story(modelBuilder);
        modelBuilder.Entity<GoodputRow>(Account);
        Evaluation(modelBuilder);
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
        modelBuilder.Entity<AuditRow>(audit =>
        {
            audit.ToTable("audit");
            audit.Property(row => row.Id).HasColumnName("id");
            audit.Property(row => row.Ts).HasColumnName("ts");
            audit.Property(row => row.Actor).HasColumnName("actor");
            audit.Property(row => row.Role).HasColumnName("role");
            audit.Property(row => row.Action).HasColumnName("action");
            audit.Property(row => row.Namespace).HasColumnName("namespace");
            audit.Property(row => row.Kind).HasColumnName("kind");
            audit.Property(row => row.Name).HasColumnName("name");
            audit.Property(row => row.Outcome).HasColumnName("outcome");
            audit.Property(row => row.Detail).HasColumnName("detail");
            audit.HasKey(row => row.Id);
            audit.HasIndex(row => new { row.Namespace, row.Name, row.Id });
        });
        modelBuilder.Entity<UpkeepRow>(upkeep =>
        {
            upkeep.ToTable("upkeep");
            upkeep.Property(row => row.Name).HasColumnName("name");
            upkeep.Property(row => row.Ts).HasColumnName("ts");
            upkeep.HasKey(row => row.Name);
        });
    }

    private static void Account(EntityTypeBuilder<GoodputRow> goodput)
    {
        goodput.ToTable("goodput");
        goodput.Property(row => row.RunId).HasColumnName("run_id");
        goodput.Property(row => row.Attempt).HasColumnName("attempt");
        goodput.Property(row => row.Steps).HasColumnName("steps");
        goodput.Property(row => row.FirstStep).HasColumnName("first_step");
        goodput.Property(row => row.LastStep).HasColumnName("last_step");
        goodput.Property(row => row.StartTs).HasColumnName("start_ts");
        goodput.Property(row => row.EndTs).HasColumnName("end_ts");
        goodput.Property(row => row.ProductiveSeconds).HasColumnName("productive_seconds");
        goodput.Property(row => row.LostSeconds).HasColumnName("lost_seconds");
        goodput.Property(row => row.LostFromStep).HasColumnName("lost_from_step");
        goodput.Property(row => row.Tokens).HasColumnName("tokens");
        goodput.Property(row => row.FirstLoss).HasColumnName("first_loss");
        goodput.Property(row => row.Loss).HasColumnName("loss");
        goodput.Property(row => row.LossNonFinite).HasColumnName("loss_nonfinite");
        goodput.Property(row => row.MissedStallSeconds).HasColumnName("missed_stall_seconds");
        goodput.Property(row => row.MissedTs).HasColumnName("missed_ts");
        goodput.HasKey(row => new { row.RunId, row.Attempt });
    }

    private static void Evaluation(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<EvaluationRow>(evaluation =>
        {
            evaluation.ToTable("evaluations");
            evaluation.Property(row => row.RunId).HasColumnName("run_id");
            evaluation.Property(row => row.Step).HasColumnName("step");
            evaluation.Property(row => row.Suite).HasColumnName("suite");
            evaluation.Property(row => row.Attempt).HasColumnName("attempt");
            evaluation.Property(row => row.Ts).HasColumnName("ts");
            evaluation.Property(row => row.Reason).HasColumnName("reason");
            evaluation.Property(row => row.Message).HasColumnName("message");
            evaluation.Property(row => row.Problems).HasColumnName("problems");
            evaluation.Property(row => row.Samples).HasColumnName("samples");
            evaluation.Property(row => row.Passed).HasColumnName("passed");
            evaluation.Property(row => row.PassAt).HasColumnName("pass_at");
            evaluation.Property(row => row.Temperature).HasColumnName("temperature");
            evaluation.Property(row => row.TopP).HasColumnName("top_p");
            evaluation.Property(row => row.MaxTokens).HasColumnName("max_tokens");
            evaluation.Property(row => row.Sha256).HasColumnName("sha256");
            evaluation.Property(row => row.Seconds).HasColumnName("seconds");
            evaluation.HasKey(row => new { row.RunId, row.Step, row.Suite });
        });
        modelBuilder.Entity<EvaluationProblemRow>(problem =>
        {
            problem.ToTable("evaluation_problems");
            problem.Property(row => row.RunId).HasColumnName("run_id");
            problem.Property(row => row.Step).HasColumnName("step");
            problem.Property(row => row.Suite).HasColumnName("suite");
            problem.Property(row => row.Number).HasColumnName("number");
            problem.Property(row => row.Attempt).HasColumnName("attempt");
            problem.Property(row => row.Name).HasColumnName("name");
            problem.Property(row => row.Samples).HasColumnName("samples");
            problem.Property(row => row.Passed).HasColumnName("passed");
            problem.Property(row => row.Verdict).HasColumnName("verdict");
            problem.Property(row => row.Prompt).HasColumnName("prompt");
            problem.Property(row => row.Shown).HasColumnName("shown");
            problem.HasKey(row => new { row.RunId, row.Step, row.Suite, row.Number });
        });
    }

    private static void Story(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<MarkRow>(mark =>
        {
            mark.ToTable("marks");
            mark.Property(row => row.RunId).HasColumnName("run_id");
            mark.Property(row => row.Attempt).HasColumnName("attempt");
            mark.Property(row => row.Name).HasColumnName("name");
            mark.Property(row => row.Ts).HasColumnName("ts");
            mark.HasKey(row => new { row.RunId, row.Attempt, row.Name });
        });
        modelBuilder.Entity<TransitionRow>(transition =>
        {
            transition.ToTable("transitions");
            transition.Property(row => row.RunId).HasColumnName("run_id");
            transition.Property(row => row.Ts).HasColumnName("ts");
            transition.Property(row => row.Reason).HasColumnName("reason");
            transition.Property(row => row.Message).HasColumnName("message");
            transition.Property(row => row.IsWarning).HasColumnName("is_warning");
            transition.Property(row => row.Attempt).HasColumnName("attempt");
            transition.Property(row => row.Phase).HasColumnName("phase");
            transition.HasKey(row => new { row.RunId, row.Ts, row.Reason });
        });
        modelBuilder.Entity<InterruptionRow>(interruption =>
        {
            interruption.ToTable("interruptions");
            interruption.Property(row => row.RunId).HasColumnName("run_id");
            interruption.Property(row => row.Attempt).HasColumnName("attempt");
            interruption.Property(row => row.Ts).HasColumnName("ts");
            interruption.Property(row => row.Reason).HasColumnName("reason");
            interruption.Property(row => row.Message).HasColumnName("message");
            interruption.Property(row => row.Charged).HasColumnName("charged");
            interruption.Property(row => row.Step).HasColumnName("step");
            interruption.Property(row => row.ResumeStep).HasColumnName("resume_step");
            interruption.Property(row => row.LostSteps).HasColumnName("lost_steps");
            interruption.HasKey(row => new { row.RunId, row.Attempt });
        });
    }

    private static void Rollup<T>(EntityTypeBuilder<T> rollup, string table)
        where T : RollupRow
    {
        rollup.ToTable(table);
        rollup.Property(row => row.SeriesId).HasColumnName("series_id");
        rollup.Property(row => row.Bucket).HasColumnName("bucket");
        rollup.Property(row => row.N).HasColumnName("n");
        rollup.Property(row => row.NonFinite).HasColumnName("n_nonfinite");
        rollup.Property(row => row.Min).HasColumnName("min");
        rollup.Property(row => row.Max).HasColumnName("max");
        rollup.Property(row => row.Sum).HasColumnName("sum");
        rollup.Property(row => row.Last).HasColumnName("last");
        rollup.Property(row => row.LastStep).HasColumnName("last_step");
        rollup.Property(row => row.LastTs).HasColumnName("last_ts");
        rollup.HasKey(row => new { row.SeriesId, row.Bucket });
    }
}
