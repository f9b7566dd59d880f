using System.CommandLine;
using Microsoft.Extensions.Logging;
using Phi.Dashboard;
using Phi.Operator;

namespace Phi.Cli.Commands;

/// <summary>The long-running parts, each able to join any API server: operator, dashboard.</summary>
internal static class ServiceCommands
{
    public static Command Operator()
    {
        var kubeconfig = CommonOptions.Kubeconfig();
        var state = new Option<string>("--state") { Description = "Folder for what a restart keeps.", Required = true };
        var telemetry = new Option<string>("--telemetry") { Description = "SQLite file of the telemetry store.", Required = true };
        var port = new Option<int>("--agent-port") { Description = "Port of the agent API. Default: a free one, kept over restarts." };
        var withParent = CommonOptions.StopWithParent();
        var command = new Command("operator", "Run the operator against a cluster.") { kubeconfig, state, telemetry, port, withParent };
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var stop = ParentWatch.Link(parse.GetValue(withParent), cancellationToken);
            using var logs = Logging.Create();
            await OperatorHost.RunAsync(
                new OperatorOptions
                {
                    Kubeconfig = parse.GetRequiredValue(kubeconfig),
                    StateDirectory = parse.GetRequiredValue(state),
                    TelemetryDatabase = parse.GetRequiredValue(telemetry),
                    AgentApiPort = parse.GetValue(port),
                },
                logs,
                stop.Token);
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
