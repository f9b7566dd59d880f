using k8s.Models;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>Starts the containers of one pod, and makes its volumes before.</summary>
internal sealed class ContainerStarter(V1Pod pod, string podIp, PodFolder folder, PodEnvironment environment, PodVolumes volumes, TimeProvider time)
{
    private static readonly TimeSpan RefreshRetry = TimeSpan.FromSeconds(10);
    private IReadOnlyDictionary<string, PodVolume> _volumes = new Dictionary<string, PodVolume>();

    /// <summary>Makes the volumes.</summary>
    /// <exception cref="PodException">A volume cannot be had, or not yet.</exception>
    public async Task PrepareAsync(CancellationToken ct)
    {
        folder.Create();
        try
        {
            _volumes = await volumes.MakeAsync(pod, podIp, folder, ct);
        }
        catch (Exception e) when (IsInfrastructure(e))
        {
            throw new PodException("FailedMount", e.Message, isTransient: true);
        }
    }

    /// <exception cref="PodException">The container cannot be started, or not yet.</exception>
    public async Task StartAsync(ContainerRun run, CancellationToken ct)
    {
        try
        {
            await StartProcessAsync(run, ct);
        }
        catch (Exception e) when (IsInfrastructure(e))
        {
            throw new PodException("CreateContainerError", $"container {run.Container.Name}: {e.Message}", isTransient: e is HttpRequestException or KubernetesApiException);
        }
    }

    /// <summary>Runs a command beside the container's, in its environment and with its mounts.</summary>
    /// <exception cref="PodException">It cannot be started.</exception>
    public async Task<ContainerProcess> ExecuteAsync(V1Container container, IList<string> command, CancellationToken ct)
    {
        try
        {
            return await LaunchAsync(new V1Container { Name = container.Name, Command = command, Env = container.Env, EnvFrom = container.EnvFrom, VolumeMounts = container.VolumeMounts, WorkingDir = container.WorkingDir }, $"{container.Name}-exec", ct);
        }
        catch (Exception e) when (IsInfrastructure(e))
        {
            throw new PodException("CreateContainerError", $"container {container.Name}: {e.Message}");
        }
    }

    /// <summary>Writes tokens again before they end, until cancelled; returns at once if the pod has none. What fails is tried again soon: a fifth of their life is left for that.</summary>
    /// <param name="onFailure">Hears why.</param>
    public async Task RefreshAsync(Action<string> onFailure, CancellationToken ct)
    {
        var next = ServiceAccountTokens.RefreshPeriod(pod);
        while (next is { } delay)
        {
            await Task.Delay(delay, time, ct);
            try
            {
                await volumes.MakeAsync(pod, podIp, folder, ct);
                next = ServiceAccountTokens.RefreshPeriod(pod);
            }
            catch (Exception e) when (e is PodException || IsInfrastructure(e))
            {
                onFailure(e.Message);
                next = RefreshRetry;
            }
        }
    }

    private static bool IsInfrastructure(Exception e) => e is HttpRequestException or KubernetesApiException or IOException or UnauthorizedAccessException;

    private async Task StartProcessAsync(ContainerRun run, CancellationToken ct) => run.Started(await LaunchAsync(run.Container, run.Container.Name, ct));

    /// <param name="name">Of the log and of the folder for mounts.</param>
    private async Task<ContainerProcess> LaunchAsync(V1Container container, string name, CancellationToken ct)
    {
        var variables = await environment.ResolveAsync(pod, container, podIp, folder.Path, ct);
        var told = environment.Tell(container, _volumes, variables);
        var command = environment.Command(container, variables);
        var mounts = ContainerMount.Of(pod, container, [.. (container.VolumeMounts ?? []).Where(mount => !told.Contains(mount.Name))], _volumes, variables, folder);
        var workingDirectory = container.WorkingDir ?? folder.Path;
        if (mounts.Count > 0)
        {
            command = await MountNamespace.WrapAsync(name, mounts, workingDirectory, folder, command, ct);
            workingDirectory = folder.Path;
        }

        var process = ContainerProcess.Start(name, command, workingDirectory, variables, folder.Log(name), time);
        folder.Record(process.ProcessId);
        return process;
    }
}
