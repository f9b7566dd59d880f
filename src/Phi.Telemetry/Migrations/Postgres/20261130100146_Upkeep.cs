using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Phi.Telemetry.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Upkeep : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "upkeep",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    ts = table.Column<long>(type: "bigint", nullable: false)
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
                name: "upkeep");
        }
    }
}
