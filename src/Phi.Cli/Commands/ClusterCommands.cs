using System.CommandLine;
using System.Globalization;
using Phi.Cli.Cluster;

namespace Phi.Cli.Commands;

/// <summary><c>phi up</c> and <c>phi down</c>.</summary>
internal static class ClusterCommands
{
    public static Command Up()
    {
        var home = CommonOptions.Home();
        var nodes = CommonOptions.Nodes();
        var slots = CommonOptions.Slots();
        var port = new Option<int?>("--port") { Description = "Port of the API server. Default: a free one, kept over restarts." };
        var dashboardPort = new Option<int?>("--dashboard-port") { Description = "Port of the dashboard. Default: a free one, kept over restarts." };
        var telemetry = CommonOptions.ClusterTelemetry();
        var audit = CommonOptions.AuditLog();
        var detach = new Option<bool>("--detach", "-d") { Description = "Run in the background." };
        var command = new Command("up", "Start the local control plane, operator and dashboard.") { home, nodes, slots, port, dashboardPort, telemetry, audit, detach };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var folder = PhiHome.Resolve(parse.GetValue(home));
            if (parse.GetValue(detach))
            {
                List<string> arguments = [.. Forwarded([("--nodes", parse.GetValue(nodes)), ("--slots", parse.GetValue(slots)), ("--port", parse.GetValue(port)), ("--dashboard-port", parse.GetValue(dashboardPort))]), .. Telemetry(parse.GetValue(telemetry)), .. parse.GetValue(audit) is { } file ? [audit.Name, file.FullName] : Array.Empty<string>()];
                Print(folder, await ClusterLauncher.EnsureAsync(folder, arguments, TimeProvider.System, cancellationToken));
                return ExitCodes.Succeeded;
            }

            folder.Create();
            var kept = ClusterSettings.ReadOrCreate(folder);
            var settings = kept with
            {
                Nodes = parse.GetValue(nodes) ?? kept.Nodes,
                Slots = parse.GetValue(slots) ?? kept.Slots,
                ApiPort = parse.GetValue(port) ?? kept.ApiPort,
                DashboardPort = parse.GetValue(dashboardPort) ?? kept.DashboardPort,
                Telemetry = parse.GetValue(telemetry) ?? kept.Telemetry,
            };
            using var logs = Logging.Create();
            var supervisor = new ClusterSupervisor(folder, settings, parse.GetValue(audit)?.FullName, logs, TimeProvider.System);
            await supervisor.RunAsync(state =>
            {
                Print(folder, state);
                return Task.CompletedTask;
            }, cancellationToken);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    public static Command Down()
    {
        var home = CommonOptions.Home();
        var command = new Command("down", "Stop the local control plane. Its state stays; `phi up` continues where it was.") { home };
        command.SetAction(async (parse, cancellationToken) =>
        {
            var folder = PhiHome.Resolve(parse.GetValue(home));
            var stopped = await ClusterLauncher.StopAsync(folder, TimeProvider.System, cancellationToken);
            Console.Error.WriteLine(stopped ? $"Stopped. The state stays in {folder.Root}." : $"No control plane runs on {folder.Root}.");
            return ExitCodes.Succeeded;
        });
        return command;
    }

    /// <summary>Arguments of <c>phi up</c>.</summary>
    public static string[] Telemetry(string? database) => database is null ? [] : ["--telemetry", database];

    private static List<string> Forwarded(IEnumerable<(string Name, int? Value)> options) =>
        [.. options.Where(o => o.Value is not null).SelectMany(o => new[] { o.Name, o.Value!.Value.ToString(CultureInfo.InvariantCulture) })];

    private static void Print(PhiHome home, ClusterState state)
    {
        Console.WriteLine($"kubeconfig: {home.Kubeconfig}");
        Console.WriteLine($"dashboard:  {state.DashboardUrl}");
        Console.WriteLine($"nodes:      {state.Nodes} x {state.Slots} CPU slots");
    }
}
