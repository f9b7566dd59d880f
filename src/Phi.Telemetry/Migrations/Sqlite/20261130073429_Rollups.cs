using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Phi.Telemetry.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Rollups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "attempts",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    first_step = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_attempts", x => new { x.run_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "interruptions",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    ts = table.Column<long>(type: "INTEGER", nullable: false),
                    reason = table.Column<string>(type: "TEXT", nullable: false),
                    message = table.Column<string>(type: "TEXT", nullable: false),
                    charged = table.Column<bool>(type: "INTEGER", nullable: false),
                    step = table.Column<long>(type: "INTEGER", nullable: false),
                    resume_step = table.Column<long>(type: "INTEGER", nullable: false),
                    lost_steps = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_interruptions", x => new { x.run_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "marks",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    ts = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_marks", x => new { x.run_id, x.attempt, x.name });
                });

            migrationBuilder.CreateTable(
                name: "transitions",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    ts = table.Column<long>(type: "INTEGER", nullable: false),
                    reason = table.Column<string>(type: "TEXT", nullable: false),
                    message = table.Column<string>(type: "TEXT", nullable: false),
                    is_warning = table.Column<bool>(type: "INTEGER", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    phase = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_transitions", x => new { x.run_id, x.ts, x.reason });
                });

            migrationBuilder.Sql("INSERT INTO attempts SELECT s.run_id, s.attempt, min(p.step) FROM series s JOIN metric_point p ON p.series_id = s.id GROUP BY s.run_id, s.attempt");

            // Without a row id a table is its primary key's tree: the points of a series lie beside each other.
            migrationBuilder.Sql("ALTER TABLE metric_point RENAME TO metric_point_old");
            migrationBuilder.Sql("CREATE TABLE metric_point (series_id INTEGER NOT NULL, step INTEGER NOT NULL, ts INTEGER NOT NULL, value REAL NOT NULL, nonfinite INTEGER NOT NULL, PRIMARY KEY (series_id, step)) WITHOUT ROWID");
            migrationBuilder.Sql("INSERT INTO metric_point SELECT series_id, step, ts, value, nonfinite FROM metric_point_old ORDER BY series_id, step");
            migrationBuilder.Sql("DROP TABLE metric_point_old");
            foreach (var size in new[] { 16, 256 })
            {
                migrationBuilder.Sql($"CREATE TABLE metric_rollup_{size} (series_id INTEGER NOT NULL, bucket INTEGER NOT NULL, n INTEGER NOT NULL, n_nonfinite INTEGER NOT NULL, min REAL NOT NULL, max REAL NOT NULL, sum REAL NOT NULL, last REAL NOT NULL, last_step INTEGER NOT NULL, last_ts INTEGER NOT NULL, PRIMARY KEY (series_id, bucket)) WITHOUT ROWID");
                migrationBuilder.Sql($"""
                    INSERT INTO metric_rollup_{size}
                    SELECT series_id, step / {size}, count(CASE WHEN nonfinite = 0 THEN 1 END), count(CASE WHEN nonfinite <> 0 THEN 1 END),
                        coalesce(min(CASE WHEN nonfinite = 0 THEN value END), 0.0), coalesce(max(CASE WHEN nonfinite = 0 THEN value END), 0.0), total(value),
                        coalesce((SELECT q.value FROM metric_point q WHERE q.series_id = p.series_id AND q.nonfinite = 0 AND q.step BETWEEN (p.step / {size}) * {size} AND (p.step / {size}) * {size} + {size} - 1 ORDER BY q.step DESC LIMIT 1), 0.0),
                        max(step), (SELECT q.ts FROM metric_point q WHERE q.series_id = p.series_id AND q.step BETWEEN (p.step / {size}) * {size} AND (p.step / {size}) * {size} + {size} - 1 ORDER BY q.step DESC LIMIT 1)
                    FROM metric_point p GROUP BY series_id, step / {size}
                    """);
            }
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempts");

            migrationBuilder.DropTable(
                name: "interruptions");

            migrationBuilder.DropTable(
                name: "marks");

            migrationBuilder.DropTable(
                name: "metric_rollup_16");

            migrationBuilder.DropTable(
                name: "metric_rollup_256");

            migrationBuilder.DropTable(
                name: "transitions");
        }
    }
}
