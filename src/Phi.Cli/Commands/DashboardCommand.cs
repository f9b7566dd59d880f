using System.CommandLine;
using Phi.Dashboard;

namespace Phi.Cli.Commands;

/// <summary><c>phi dashboard</c>: the dashboard against any API server.</summary>
internal static class DashboardCommand
{
    public static Command Create()
    {
        var kubeconfig = CommonOptions.Kubeconfig();
        var telemetry = CommonOptions.Telemetry();
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
