using System.CommandLine;
using Phi.Cli.Cluster;
using Phi.Cli.Jobs;
using Phi.Cli.Output;
using Phi.Cli.Resources;
using Phi.Telemetry.Store;
using Spectre.Console;

namespace Phi.Cli.Commands;

/// <summary><c>phi top</c>: jobs for those who stay in the terminal.</summary>
internal static class TopCommand
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var options = new ClusterOptions(speaksToOthers: true);
        var telemetry = new Option<string?>("--telemetry") { Description = "Telemetry store, for the loss so far. Default: $PHI_TELEMETRY, else that of the local control plane." };
        var once = new Option<bool>("--once") { Description = "Print once. Default where the output is no terminal." };
        var command = new Command("top", "Watch training jobs, with their loss so far.") { once, telemetry };
        options.AddListTo(command);
        command.WithExamples("phi top", "phi top -A --once");
        command.SetAction((parse, ct) => options.UseAsync(parse, async session =>
        {
            var (reader, home) = (new ResourceReader(session, ResourceKind.Job), options.Listed(parse, session));
            await using var store = await StoreAsync(parse.GetValue(telemetry), session.Target.Home, ct);
            if (parse.GetValue(once) || Console.IsOutputRedirected)
            {
                var (listing, rows) = await ReadAsync(reader, store, home, ct);
                listing.Write(rows, OutputFormat.Table, Console.Out, Console.Error);
                return ExitCodes.Succeeded;
            }

            await AnsiConsole.Live(new Text("")).StartAsync(async live =>
            {
                using var timer = new PeriodicTimer(Period);
                do
                {
                    var (listing, rows) = await ReadAsync(reader, store, home, ct);
                    live.UpdateTarget(Table(listing, rows));
                }
                while (await timer.WaitForNextTickAsync(ct));
            });
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    private static async Task<(Listing<JobRow> Listing, IReadOnlyList<JobRow> Rows)> ReadAsync(ResourceReader reader, TelemetryStore? store, string? home, CancellationToken ct)
    {
        var (items, _) = await reader.ListAsync(home, ct);
        List<JobRow> rows = [.. items.Select(item => new JobRow(item)).OrderByDescending(job => job.Created).ThenBy(job => job.Name, StringComparer.Ordinal)];
        var curves = store is null ? null : await LossCurves.ReadAsync(store, rows.Select(row => row.Uid), ct);
        return (ResourceListings.Jobs(home, TimeProvider.System.GetUtcNow(), curves), rows);
    }

    /// <summary>Null: none is named, so that there are no curves.</summary>
    private static async Task<TelemetryStore?> StoreAsync(string? given, PhiHome? home, CancellationToken ct)
    {
        var own = home is null ? null : ClusterSettings.ReadOrCreate(home).Telemetry ?? (File.Exists(home.TelemetryDatabase) ? home.TelemetryDatabase : null);
        return (given ?? Environment.GetEnvironmentVariable(CommonOptions.TelemetryVariable) ?? own) is { } database ? await OpenAsync(database, Console.Error, ct) : null;
    }

    /// <summary>Null: its schema is another version's, which the user is told; jobs are shown all the same.</summary>
    /// <exception cref="CliException">It is not there, or cannot be read.</exception>
    internal static async Task<TelemetryStore?> OpenAsync(string database, TextWriter error, CancellationToken ct)
    {
        try
        {
            var state = await SchemaState.ReadAsync(database, ct) ?? throw new CliException($"there is no {database}; the operator makes it when it starts; correct --telemetry if it has", ExitCodes.Usage);
            if (state.Mismatch(TelemetryStore.IsFile(database) ? database : "the PostgreSQL database") is var (problem, remedy))
            {
                await error.WriteLineAsync($"no loss so far is shown: {problem}; {remedy}");
                return null;
            }

            return TelemetryStore.OpenReadOnly(database, TimeProvider.System);
        }
        catch (TelemetryException e)
        {
            throw new CliException(e.Message, ExitCodes.Usage);
        }
    }

    private static Table Table(Listing<JobRow> listing, IReadOnlyList<JobRow> rows)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var title in listing.Header(OutputFormat.Table))
        {
            table.AddColumn(new TableColumn(new Text(title)) { NoWrap = true });
        }

        foreach (var row in rows)
        {
            table.AddRow(listing.Row(row, OutputFormat.Table).Select(cell => new Text(cell)));
        }

        return table;
    }
}
