using System.CommandLine;
using Phi.Api.Metadata;
using Phi.Telemetry.Store;

namespace Phi.Cli.Commands;

/// <summary><c>phi telemetry</c>: what an administrator does with the telemetry database.</summary>
internal static class TelemetryCommands
{
    public static Command Create() => new("telemetry", "Administer the telemetry database.") { Migrate() };

    private static Command Migrate()
    {
        var telemetry = CommonOptions.Telemetry();
        var wait = new Option<string>("--wait") { Description = "How long to wait for a server that is not up, such as 2m; 0: not at all. Default 30s.", DefaultValueFactory = _ => "30s" };
        var to = new Option<string?>("--to") { Description = "Migration to go to, by id or name. An older one undoes those after it, and their data is lost. Default: the newest." };
        wait.Validators.Add(result =>
        {
            if (result.Tokens is [var given] && Duration(given.Value) is null)
            {
                result.AddError($"--wait is '{given.Value}'; it must be 0 or a duration, such as 2m.");
            }
        });
        var command = new Command("migrate", "Create the database's schema, or bring it up to date; operators and dashboards that start do the same.") { telemetry, wait, to };
        command.SetAction(async (parse, ct) =>
        {
            var report = await TelemetryMigrator.MigrateAsync(
                parse.GetRequiredValue(telemetry), parse.GetValue(to), Duration(parse.GetRequiredValue(wait))!.Value, why => Console.Error.WriteLine($"Waiting for the database: {why}"), TimeProvider.System, ct);
            Print(report);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    private static void Print(MigrationReport report)
    {
        foreach (var id in report.Undone)
        {
            Console.WriteLine($"undone   {id}");
        }

        foreach (var id in report.Applied)
        {
            Console.WriteLine($"applied  {id}");
        }

        Console.WriteLine($"The schema is at {report.Target}.");
        if (report.Unknown.Count > 0)
        {
            Console.Error.WriteLine($"phi: a newer version has also applied {string.Join(", ", report.Unknown)}; only that version can undo them (phi telemetry migrate --to {report.Target})");
        }
    }

    private static TimeSpan? Duration(string text) => text == "0" ? TimeSpan.Zero : KubernetesDuration.TryParse(text, out var duration) ? duration : null;
}
