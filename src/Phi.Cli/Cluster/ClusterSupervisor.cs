using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Phi.Api.Agent;
using Phi.Api.Crds;
using Phi.Api.Metadata;
using Phi.Cli.Commands;
using Phi.Kubernetes;
using Phi.LocalCluster.ApiServer;
using Phi.LocalCluster.Nodes;
using Phi.LocalCluster.Scheduling;

namespace Phi.Cli.Cluster;

/// <summary>
/// Runs a whole control plane on this machine: API server, scheduler and node agents in this process; operator and dashboard as
/// processes of their own, so that each can crash and come back alone.
/// </summary>
/// <param name="auditLog">File to which the API server adds a line of every request; null: none.</param>
public sealed class ClusterSupervisor(PhiHome home, ClusterSettings settings, string? auditLog, ILoggerFactory logs, TimeProvider time)
{
    private const string Operator = "operator";
    private const string Dashboard = "dashboard";
    private static readonly TimeSpan DashboardDeadline = TimeSpan.FromSeconds(60);

    private string Telemetry => settings.Telemetry ?? home.TelemetryDatabase;

    /// <summary>Runs until cancelled. <paramref name="onReady"/> is called once, when kubectl and the dashboard can be used.</summary>
    public async Task RunAsync(Func<ClusterState, Task> onReady, CancellationToken cancellationToken)
    {
        home.Create();
        await using var exclusive = Lock();
        File.Delete(home.DashboardAddress);

        await using var server = await ApiServerHost.StartAsync(
            new ApiServerOptions
            {
                DataDirectory = home.ApiServerData,
                Port = settings.ApiPort,
                AdminToken = settings.Token,
                KubeconfigPath = home.Kubeconfig,
                SocketPath = home.ApiServerSocket,
                CrdManifests = [.. CrdCatalog.All],
                AuditLogPath = auditLog,
            },
            cancellationToken);
        var kept = settings with { ApiPort = server.BaseAddress.Port };
        kept.Write(home);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var kubernetes = KubernetesConnection.Open(home.Kubeconfig, "phi-scheduler");
        var accounts = new ServiceAccounts(kubernetes, server);
        await accounts.PrepareAsync(Operator, home.KubeconfigOf(Operator), cancellationToken);
        await accounts.PrepareAsync(Dashboard, home.KubeconfigOf(Dashboard), cancellationToken);
        List<Task> loops = [SchedulerHost.RunAsync(kubernetes, time, logs, stop.Token)];
        loops.AddRange(Enumerable.Range(0, kept.Nodes).Select(i => NodeAgentHost.RunAsync(NodeOptions(home, home.Kubeconfig, $"node-{i}", kept.Slots), logs, stop.Token)));

        try
        {
            await using var controller = new SupervisedProcess(OperatorArguments, new Dictionary<string, string>(), home.Log(Operator), time);
            // One that comes back takes the port that its open pages know.
            var current = kept;
            await using var dashboard = new SupervisedProcess(() => DashboardArguments(current), new Dictionary<string, string> { [DashboardCommand.TokenVariable] = kept.DashboardToken }, home.Log(Dashboard), time);
            try
            {
                var dashboardUrl = await DashboardUrlAsync(kept, loops, stop.Token);
                current = kept with { DashboardPort = dashboardUrl.Port };
                current.Write(home);
                var state = State(server.BaseAddress, dashboardUrl, kept);
                state.Write(home);
                await onReady(state);
                var first = await Task.WhenAny([.. loops, Task.Delay(Timeout.Infinite, stop.Token)]);
                if (!cancellationToken.IsCancellationRequested)
                {
                    await first;
                }
            }
            finally
            {
                // The nodes first: their pods save, and the operator is still there to take their last events. It starts no new pods,
                // because a node that stops is not ready.
                await stop.CancelAsync();
                await Task.WhenAll(loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            File.Delete(home.StateFile);
        }
    }

    private FileStream Lock()
    {
        try
        {
            return new FileStream(home.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new CliException(
                $"another control plane already runs on {home.Root}. Stop it with `phi down --home {home.Root}`, or choose another folder with --home.",
                ExitCodes.ControlPlaneUnavailable);
        }
    }

    internal static NodeAgentOptions NodeOptions(PhiHome home, string kubeconfig, string name, int slots) => new()
    {
        Kubeconfig = kubeconfig,
        Name = name,
        Slots = slots,
        StateDirectory = home.NodeState(name),
        ToolPath = [TrainerTool.Folder()],
        VolumeVariables =
        [
            new VolumeVariable(PhiNames.EventVolume, PhiEnvironment.EventFolder),
            new VolumeVariable(AgentCredentials.Volume, PhiEnvironment.AgentTokenFile, AgentCredentials.TokenFile),
            new VolumeVariable(AgentCredentials.Volume, PhiEnvironment.OperatorAuthorityFile, AgentCredentials.AuthorityFile),
        ],
        Environment = new Dictionary<string, string>
        {
            [PhiEnvironment.CheckpointRoot] = home.Checkpoints,
            [PhiEnvironment.DataCache] = home.DataCache,
            [PhiEnvironment.NoticeFile] = Path.Combine(home.NodeState(name), "notice"),
        },
    };

    /// <summary>One name for good: the operator that comes back after a crash takes its own lease over at once.</summary>
    private string[] OperatorArguments() =>
    [
        Operator, "--kubeconfig", home.KubeconfigOf(Operator), "--state", home.OperatorState, "--telemetry", Telemetry, "--identity", "phi-up", "--checkpoint-root", home.Checkpoints, "--stop-with-parent",
    ];

    private string[] DashboardArguments(ClusterSettings kept) =>
    [
        Dashboard, "--kubeconfig", home.KubeconfigOf(Dashboard), "--telemetry", Telemetry,
        "--port", kept.DashboardPort.ToString(System.Globalization.CultureInfo.InvariantCulture), "--address-file", home.DashboardAddress,
        "--stop-with-parent",
    ];

    private async Task<Uri> DashboardUrlAsync(ClusterSettings kept, List<Task> loops, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (time.GetElapsedTime(started) < DashboardDeadline)
        {
            if (loops.Find(loop => loop.IsCompleted) is { } ended)
            {
                await ended;
            }

            if (File.Exists(home.DashboardAddress) && Uri.TryCreate((await File.ReadAllTextAsync(home.DashboardAddress, cancellationToken)).Trim(), UriKind.Absolute, out var url))
            {
                return new Uri(url, $"/?token={kept.DashboardToken}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
        }

        throw new CliException($"the dashboard did not start within {DashboardDeadline.TotalSeconds:0} s. Its log is {home.Log(Dashboard)}.", ExitCodes.ControlPlaneUnavailable);
    }

    private static ClusterState State(Uri server, Uri dashboard, ClusterSettings kept)
    {
        using var self = Process.GetCurrentProcess();
        return new ClusterState
        {
            ProcessId = self.Id,
            ProcessStart = self.StartTime,
            Server = server,
            Token = kept.Token,
            DashboardUrl = dashboard.ToString(),
            Nodes = kept.Nodes,
            Slots = kept.Slots,
        };
    }
}
