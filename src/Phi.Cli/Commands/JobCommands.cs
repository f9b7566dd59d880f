using System.CommandLine;
using System.Text.Json;
using Phi.Api.Metadata;
using Phi.Api.TrainingJobs;
using Phi.Cli.Cluster;
using Phi.Cli.Jobs;
using Phi.Cli.Queues;
using Phi.Kubernetes;
using Phi.Telemetry.Store;
using Spectre.Console;

namespace Phi.Cli.Commands;

/// <summary><c>phi get</c>, <c>phi top</c> and <c>phi logs</c>: jobs for those who stay in the terminal.</summary>
internal static class JobCommands
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    public static Command Get()
    {
        var (kubeconfig, home, @namespace) = (CommonOptions.ClusterKubeconfig(), CommonOptions.Home(), Namespace());
        var output = new Option<string>("--output", "-o") { Description = "table, json or name.", DefaultValueFactory = _ => "table" };
        output.AcceptOnlyFromAmong("table", "json", "name");
        var command = new Command("get", "List training jobs, newest first.") { @namespace, kubeconfig, home, output };
        command.SetAction((parse, ct) => ClusterConnection.UseAsync(parse.GetValue(kubeconfig), parse.GetValue(home), async connection =>
        {
            var jobs = await JobsAsync(connection, parse.GetValue(@namespace), ct);
            switch (parse.GetValue(output))
            {
                case "json":
                    Console.WriteLine(JsonSerializer.Serialize(jobs, PhiJson.Options));
                    break;
                case "name":
                    jobs.ForEach(job => Console.WriteLine($"{job.Metadata.Namespace}/{job.Metadata.Name}"));
                    break;
                default:
                    QueueText.WriteTable(JobRows.Of(jobs, TimeProvider.System.GetUtcNow(), null), Console.Out);
                    break;
            }

            return ExitCodes.Succeeded;
        }));
        return command;
    }

    public static Command Top()
    {
        var (kubeconfig, home, @namespace) = (CommonOptions.ClusterKubeconfig(), CommonOptions.Home(), Namespace());
        var telemetry = new Option<string?>("--telemetry") { Description = "Telemetry store, for the loss so far. Default: $PHI_TELEMETRY, else that of the local control plane." };
        var once = new Option<bool>("--once") { Description = "Print once. Default where the output is no terminal." };
        var command = new Command("top", "Watch training jobs, with their loss so far.") { @namespace, kubeconfig, home, telemetry, once };
        command.SetAction((parse, ct) => ClusterConnection.UseAsync(parse.GetValue(kubeconfig), parse.GetValue(home), async connection =>
        {
            await using var store = await StoreAsync(parse.GetValue(telemetry), parse.GetValue(kubeconfig) is null ? PhiHome.Resolve(parse.GetValue(home)) : null, ct);
            if (parse.GetValue(once) || Console.IsOutputRedirected)
            {
                QueueText.WriteTable(await RowsAsync(connection, store, parse.GetValue(@namespace), ct), Console.Out);
                return ExitCodes.Succeeded;
            }

            await AnsiConsole.Live(new Text("")).StartAsync(async live =>
            {
                using var timer = new PeriodicTimer(Period);
                do
                {
                    live.UpdateTarget(Table(await RowsAsync(connection, store, parse.GetValue(@namespace), ct)));
                }
                while (await timer.WaitForNextTickAsync(ct));
            });
            return ExitCodes.Succeeded;
        }));
        return command;
    }

    public static Command Logs()
    {
        var name = new Argument<string>("job") { Description = "Name of a TrainingJob." };
        var @namespace = new Option<string>("--namespace", "-n") { Description = "Its namespace.", DefaultValueFactory = _ => "default" };
        var (kubeconfig, home) = (CommonOptions.ClusterKubeconfig(), CommonOptions.Home());
        var follow = new Option<bool>("--follow", "-f") { Description = "Further lines as they come." };
        var pod = new Option<string?>("--pod") { Description = "One of its pods. Default: all." };
        var rank = new Option<int?>("--rank") { Description = "Lines of one rank. Default: all." };
        var tail = new Option<int>("--tail") { Description = "Lines of each pod before the present.", DefaultValueFactory = _ => 100 };
        tail.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
            {
                result.AddError("--tail must be at least 0.");
            }
        });
        var command = new Command("logs", "Print the logs of a job's pods.") { name, @namespace, kubeconfig, home, follow, pod, rank, tail };
        command.SetAction((parse, ct) => ClusterConnection.UseAsync(parse.GetValue(kubeconfig), parse.GetValue(home), async connection =>
        {
            var wanted = new JobName(parse.GetRequiredValue(@namespace), parse.GetRequiredValue(name));
            var job = await connection.TrainingJobs().GetAsync(wanted.Namespace, wanted.Name, ct) ?? throw new CliException($"there is no TrainingJob {wanted}; list them with phi get", ExitCodes.Usage);
            var pods = await new JobLogs(connection, Console.Out, Console.Error).WriteAsync(job, parse.GetValue(pod), parse.GetValue(rank), parse.GetValue(tail), parse.GetValue(follow), ct);
            return pods > 0
                ? ExitCodes.Succeeded
                : throw new CliException($"{wanted} has no pod{(parse.GetValue(pod) is { } given ? $" {given}" : "")} now; phi why {wanted.Name} says how it stands", ExitCodes.Usage);
        }));
        return command;
    }

    private static Option<string?> Namespace() => new("--namespace", "-n") { Description = "Namespace of the jobs. Default: all." };

    private static async Task<List<TrainingJob>> JobsAsync(KubernetesConnection connection, string? @namespace, CancellationToken ct)
    {
        var (jobs, _) = await connection.TrainingJobs().ListAsync(@namespace, null, ResourceJson.Parse<TrainingJob>, ct);
        return [.. jobs.OrderByDescending(job => job.Metadata.CreationTimestamp).ThenBy(job => job.Metadata.Name, StringComparer.Ordinal)];
    }

    private static async Task<IReadOnlyList<string[]>> RowsAsync(KubernetesConnection connection, TelemetryStore? store, string? @namespace, CancellationToken ct)
    {
        var jobs = await JobsAsync(connection, @namespace, ct);
        return JobRows.Of(jobs, TimeProvider.System.GetUtcNow(), store is null ? null : await LossCurves.ReadAsync(store, jobs, ct));
    }

    /// <param name="local">The local control plane that is asked; null: it is another one.</param>
    /// <returns>Null: none is named, and there is no local one.</returns>
    private static async Task<TelemetryStore?> StoreAsync(string? given, PhiHome? local, CancellationToken ct)
    {
        var own = local is null ? null : ClusterSettings.ReadOrCreate(local).Telemetry ?? (File.Exists(local.TelemetryDatabase) ? local.TelemetryDatabase : null);
        var database = given ?? Environment.GetEnvironmentVariable(CommonOptions.TelemetryVariable) ?? own;
        return database is null ? null : await TelemetryStore.OpenAsync(database, TimeProvider.System, ct);
    }

    private static Table Table(IReadOnlyList<string[]> rows)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var title in rows[0])
        {
            table.AddColumn(new TableColumn(new Text(title)) { NoWrap = true });
        }

        foreach (var row in rows.Skip(1))
        {
            table.AddRow(row.Select(cell => new Text(cell)));
        }

        return table;
    }
}
