using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Phi.Telemetry.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Goodput : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "goodput",
                columns: table => new
                {
                    run_id = table.Column<string>(type: "TEXT", nullable: false),
                    attempt = table.Column<int>(type: "INTEGER", nullable: false),
                    steps = table.Column<long>(type: "INTEGER", nullable: false),
                    first_step = table.Column<long>(type: "INTEGER", nullable: false),
                    last_step = table.Column<long>(type: "INTEGER", nullable: false),
                    start_ts = table.Column<long>(type: "INTEGER", nullable: false),
                    end_ts = table.Column<long>(type: "INTEGER", nullable: false),
                    productive_seconds = table.Column<double>(type: "REAL", nullable: false),
                    lost_seconds = table.Column<double>(type: "REAL", nullable: false),
                    lost_from_step = table.Column<long>(type: "INTEGER", nullable: true),
                    tokens = table.Column<double>(type: "REAL", nullable: true),
                    first_loss = table.Column<double>(type: "REAL", nullable: true),
                    loss = table.Column<double>(type: "REAL", nullable: true),
                    loss_nonfinite = table.Column<short>(type: "INTEGER", nullable: false),
                    missed_stall_seconds = table.Column<double>(type: "REAL", nullable: false),
                    missed_ts = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_goodput", x => new { x.run_id, x.attempt });
                });

            migrationBuilder.CreateTable(
                name: "upkeep",
                columns: table => new
                {
                    name = table.Column<string>(type: "TEXT", nullable: false),
                    ts = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_upkeep", x => x.name);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "goodput");

            migrationBuilder.DropTable(
                name: "upkeep");
        }
    }
}
