using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Phi.Telemetry.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "attempts",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    first_step = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_attempts", x => new { x.run_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "checkpoints",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    ts = table.Column<long>(type: "bigint", nullable: false),
                    uri = table.Column<string>(type: "text", nullable: false),
                    bytes = table.Column<long>(type: "bigint", nullable: false),
                    seconds = table.Column<double>(type: "double precision", nullable: false),
                    stall_seconds = table.Column<double>(type: "double precision", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_checkpoints", x => new { x.run_id, x.step });
                });

            migrationBuilder.CreateTable(
                name: "interruptions",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    ts = table.Column<long>(type: "bigint", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    message = table.Column<string>(type: "text", nullable: false),
                    charged = table.Column<bool>(type: "boolean", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    resume_step = table.Column<long>(type: "bigint", nullable: false),
                    lost_steps = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_interruptions", x => new { x.run_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "marks",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    ts = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_marks", x => new { x.run_id, x.attempt, x.name });
                });

            // The key's index holds the whole row: the points of a series lie beside each other there, and scattered in the table.
            migrationBuilder.Sql("CREATE TABLE metric_point (series_id bigint NOT NULL, step bigint NOT NULL, ts bigint NOT NULL, value double precision NOT NULL, nonfinite smallint NOT NULL, CONSTRAINT \"PK_metric_point\" PRIMARY KEY (series_id, step) INCLUDE (ts, value, nonfinite))");
            foreach (var size in new[] { 16, 256 })
            {
                migrationBuilder.Sql($"CREATE TABLE metric_rollup_{size} (series_id bigint NOT NULL, bucket bigint NOT NULL, n integer NOT NULL, n_nonfinite integer NOT NULL, min double precision NOT NULL, max double precision NOT NULL, sum double precision NOT NULL, last double precision NOT NULL, last_step bigint NOT NULL, last_ts bigint NOT NULL, CONSTRAINT \"PK_metric_rollup_{size}\" PRIMARY KEY (series_id, bucket) INCLUDE (n, n_nonfinite, min, max, sum, last, last_step, last_ts))");
            }

            migrationBuilder.CreateTable(
                name: "runs",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    @namespace = table.Column<string>(name: "namespace", type: "text", nullable: false),
                    job = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_runs", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "series",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    run_id = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    rank = table.Column<int>(type: "integer", nullable: false),
                    metric = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_series", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "transitions",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "text", nullable: false),
                    ts = table.Column<long>(type: "bigint", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: false),
                    message = table.Column<string>(type: "text", nullable: false),
                    is_warning = table.Column<bool>(type: "boolean", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    phase = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_transitions", x => new { x.run_id, x.ts, x.reason });
                });

            migrationBuilder.CreateIndex(
                name: "IX_series_run_id_metric_rank_attempt",
                table: "series",
                columns: new[] { "run_id", "metric", "rank", "attempt" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "attempts");

            migrationBuilder.DropTable(
                name: "checkpoints");

            migrationBuilder.DropTable(
                name: "interruptions");

            migrationBuilder.DropTable(
                name: "marks");

            migrationBuilder.DropTable(
                name: "metric_point");

            migrationBuilder.DropTable(
                name: "metric_rollup_16");

            migrationBuilder.DropTable(
                name: "metric_rollup_256");

            migrationBuilder.DropTable(
                name: "runs");

            migrationBuilder.DropTable(
                name: "series");

            migrationBuilder.DropTable(
                name: "transitions");
        }
    }
}
