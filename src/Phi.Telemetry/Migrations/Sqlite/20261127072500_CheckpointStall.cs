using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Phi.Telemetry.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class CheckpointStall : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>(
                name: "stall_seconds",
                table: "checkpoints",
                type: "REAL",
                nullable: false,
                defaultValue: 0.0);

            // Training stood still for the whole of each save before.
            migrationBuilder.Sql("UPDATE checkpoints SET stall_seconds = seconds");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "stall_seconds",
                table: "checkpoints");
        }
    }
}
