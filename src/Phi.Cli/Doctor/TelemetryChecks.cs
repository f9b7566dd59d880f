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
            return await SchemaState.ReadAsync(database, ct) is not { } state
                ? CheckResult.Fail(Check, $"there is no {database}", "the operator makes it when it starts; correct --telemetry if it has")
                : state.Mismatch(name) switch
                {
                    null => CheckResult.Ok(Check, $"{name} has this version's schema: {state.Applied.Count} migrations"),
                    var (problem, remedy) when state is { Unknown: [], Applied: [_, ..] } => CheckResult.Warn(Check, problem, remedy),
                    var (problem, remedy) => CheckResult.Fail(Check, problem, remedy),
                };
        }
        catch (TelemetryException e)
        {
            return CheckResult.Fail(Check, e.Message, "see that it runs, that the address is right, and that the password is given (PGPASSWORD)");
        }
    }
}
