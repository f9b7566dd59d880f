using System.Diagnostics;
using System.Runtime.InteropServices;
using Phi.Cli.Resources;
using Phi.Kubernetes;

namespace Phi.Cli.Cluster;

/// <summary>Starts a control plane in the background, and stops one.</summary>
public static partial class ClusterLauncher
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>The running control plane of this home, or a new one in the background.</summary>
    public static async Task<ClusterState> EnsureAsync(PhiHome home, IReadOnlyList<string> upArguments, TimeProvider time, CancellationToken cancellationToken)
    {
        if (ClusterState.ReadRunning(home) is { } running)
        {
            return running;
        }

        home.Create();
        // setsid: a Ctrl-C in this terminal must not reach the control plane. The shell hands what it logs to the file; what it prints has the
        // dashboard's token, which is in no log.
        var log = home.Log("control-plane");
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec setsid \"$0\" \"$@\" >/dev/null 2>>\"$PHI_LOG\" </dev/null", Environment.ProcessPath!, "up", "--home", home.Root, .. upArguments]);
        start.Environment["PHI_LOG"] = log;
        using var process = Process.Start(start)!;
        var began = time.GetTimestamp();
        while (time.GetElapsedTime(began) < StartDeadline)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ClusterState.ReadRunning(home) is { } state)
            {
                return state;
            }

            if (process.HasExited)
            {
                throw new CliException($"the control plane ended with exit code {process.ExitCode} while starting. The end of {log}:\n{Tail(log)}", ExitCodes.ControlPlaneUnavailable);
            }

            await Task.Delay(Poll, time, cancellationToken);
        }

        throw new CliException($"the control plane was not ready within {StartDeadline.TotalSeconds:0} s. Its log is {log}.", ExitCodes.ControlPlaneUnavailable);
    }

    /// <summary>The API server of a control plane that starts, as soon as it serves jobs: operator and dashboard come after it.</summary>
    /// <param name="cluster">The whole control plane.</param>
    /// <exception cref="CliException">The control plane did not start.</exception>
    internal static async Task<ClusterSession> ApiServerAsync(PhiHome home, Task<ClusterState> cluster, TimeProvider time, CancellationToken cancellationToken)
    {
        var target = new ClusterTarget([home.Kubeconfig], home.Kubeconfig, home);
        while (!cluster.IsCompleted)
        {
            if (File.Exists(home.Kubeconfig) && await TryAsync(target, cancellationToken) is { } early)
            {
                return early;
            }

            await Task.Delay(Poll, time, cancellationToken);
        }

        await cluster;
        return ClusterSession.Open(target, null, null);
    }

    /// <summary>Null: nobody answers yet, or somebody else at the address of the last time.</summary>
    private static async Task<ClusterSession?> TryAsync(ClusterTarget target, CancellationToken cancellationToken)
    {
        ClusterSession? session = null;
        try
        {
            session = ClusterSession.Open(target, null, null);
            await session.Connection.SendAsync(HttpMethod.Get, ResourceKind.Job.Path(null, null) + "?limit=1", null, "application/json", cancellationToken);
            return session;
        }
        catch (Exception e) when (e is CliException or HttpRequestException or KubernetesApiException)
        {
            session?.Dispose();
            return null;
        }
    }

    /// <summary>Asks the control plane to stop and waits until it has. False if none was running.</summary>
    public static async Task<bool> StopAsync(PhiHome home, TimeProvider time, CancellationToken cancellationToken)
    {
        if (ClusterState.ReadRunning(home) is not { } state)
        {
            return false;
        }

        _ = Kill(state.ProcessId, Sigterm);
        var began = time.GetTimestamp();
        while (state.IsRunning())
        {
            if (time.GetElapsedTime(began) > StopDeadline)
            {
                throw new CliException($"process {state.ProcessId} did not stop within {StopDeadline.TotalSeconds:0} s. Its log is {home.Log("control-plane")}.", ExitCodes.ControlPlaneUnavailable);
            }

            await Task.Delay(Poll, time, cancellationToken);
        }

        return true;
    }

    private static string Tail(string log) =>
        File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(15)) : "(no log)";

    private const int Sigterm = 15;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
