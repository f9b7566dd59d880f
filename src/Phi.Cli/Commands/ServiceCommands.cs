using System.CommandLine;
using Microsoft.Extensions.Logging;
using Phi.Cli.Cluster;
using Phi.Dashboard;
using Phi.LocalCluster.Nodes;

namespace Phi.Cli.Commands;

/// <summary>The long-running parts, each able to join any API server: node, dashboard.</summary>
internal static class ServiceCommands
{
    public static Command Node()
    {
        var kubeconfig = CommonOptions.Kubeconfig();
        var home = CommonOptions.Home();
        var name = new Option<string>("--name") { Description = "Name of the node.", Required = true };
        var slots = CommonOptions.Slots();
        var command = new Command("node", "Join this machine to a cluster as a node whose pods are local processes.") { kubeconfig, home, name, slots };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var logs = Logging.Create();
            var folder = PhiHome.Resolve(parse.GetValue(home));
            folder.Create();
            var options = ClusterSupervisor.NodeOptions(folder, parse.GetRequiredValue(kubeconfig), parse.GetRequiredValue(name), parse.GetValue(slots) ?? 4);
            await NodeAgentHost.RunAsync(options, logs, cancellationToken);
            return ExitCodes.Succeeded;
        });
        return command;
    }

    public static Command Dashboard()
    {
        var kubeconfig = CommonOptions.Kubeconfig();
        var telemetry = new Option<string>("--telemetry") { Description = "SQLite file of the telemetry store.", Required = true };
        var token = new Option<string>("--token") { Description = "Sign-in token.", Required = true };
        var port = new Option<int>("--port") { Description = "Port. Default: a free one." };
        var addressFile = new Option<string?>("--address-file") { Description = "File that receives the chosen URL.", Hidden = true };
        var withParent = CommonOptions.StopWithParent();
        var command = new Command("dashboard", "Run the dashboard against a cluster.") { kubeconfig, telemetry, token, port, addressFile, withParent };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var stop = ParentWatch.Link(parse.GetValue(withParent), cancellationToken);
            await DashboardHost.RunAsync(
                new DashboardOptions
                {
                    Kubeconfig = parse.GetRequiredValue(kubeconfig),
                    TelemetryDatabase = parse.GetRequiredValue(telemetry),
                    Token = parse.GetRequiredValue(token),
                    Port = parse.GetValue(port),
                    AddressFile = parse.GetValue(addressFile),
                },
                stop.Token);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
