using System.CommandLine;
using Phi.Cli.Cluster;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.LocalCluster.Scheduling;

namespace Phi.Cli.Commands;

/// <summary><c>phi control-plane</c>, hidden: the embedded API server and scheduler alone, for operators and nodes that join from elsewhere.</summary>
internal static class ControlPlaneCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var audit = CommonOptions.AuditLog();
        var withParent = CommonOptions.StopWithParent();
        var command = new Command("control-plane", "Run the embedded API server and scheduler alone: no node, no operator, no custom resources.") { home, audit, withParent };
        command.Hidden = true;
        command.SetAction(async (parse, cancellationToken) =>
        {
            using var stop = ParentWatch.Link(parse.GetValue(withParent), cancellationToken);
            using var logs = Logging.Create();
            var folder = PhiHome.Resolve(parse.GetValue(home));
            folder.Create();
            var settings = ClusterSettings.ReadOrCreate(folder);
            await using var server = await ApiServerHost.StartAsync(
                new ApiServerOptions { DataDirectory = folder.ApiServerData, Port = settings.ApiPort, AdminToken = settings.Token, KubeconfigPath = folder.Kubeconfig, AuditLogPath = parse.GetValue(audit)?.FullName },
                stop.Token);
            (settings with { ApiPort = server.BaseAddress.Port }).Write(folder);
            using var connection = KubernetesConnection.Open(folder.Kubeconfig, "phi-scheduler");
            Console.WriteLine($"kubeconfig: {folder.Kubeconfig}");
            await SchedulerHost.RunAsync(connection, TimeProvider.System, logs, stop.Token);
            return ExitCodes.Succeeded;
        });
        return command;
    }
}
