using Phi.Telemetry.Store;

namespace Phi.Cli.Doctor;

/// <summary>Whether the telemetry database answers, and has this version's schema. Changes nothing.</summary>
internal static class TelemetryChecks
{
    private const string Check = "telemetry";

    /// <param name="database">Null: none is known.</param>
    public static async Task<CheckResult> RunAsync(string? database, CancellationToken ct)
    {
        if (database is null)
        {
            return CheckResult.Skip(Check, "no store is named; name it with --telemetry or $PHI_TELEMETRY");
        }

        try
        {
            var name = TelemetryStore.IsFile(database) ? database : "the PostgreSQL database";
            return await SchemaState.ReadAsync(database, ct) switch
            {
                null => CheckResult.Fail(Check, $"there is no {database}", "the operator makes it when it starts; correct --telemetry if it has"),
                { Unknown: [var newer, ..] } => CheckResult.Fail(Check, $"{name} has the schema of a newer version: {newer}", "use that version of phi, or undo it with that version: phi telemetry migrate --to"),
                { Applied: [] } => CheckResult.Fail(Check, $"{name} has no schema yet", "the operator makes it when it starts"),
                { Pending: [_, ..] pending } => CheckResult.Warn(Check, $"{name} lacks {pending.Count} migrations of this version: {string.Join(", ", pending)}", "phi telemetry migrate, or start this version's operator, which applies them"),
                var state => CheckResult.Ok(Check, $"{name} has this version's schema: {state.Applied.Count} migrations"),
            };
        }
        catch (TelemetryException e)
        {
            return CheckResult.Fail(Check, e.Message, "see that it runs, that the address is right, and that the password is given (PGPASSWORD)");
        }
    }
}
