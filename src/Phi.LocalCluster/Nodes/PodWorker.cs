using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Phi.LocalCluster.Nodes;

/// <summary>Why a pod's processes must end.</summary>
internal enum PodEnd
{
    /// <summary>Deleted: time to end, then the object goes.</summary>
    Deleted,

    /// <summary>The object is gone already: killed at once.</summary>
    Vanished,

    /// <summary>The node stops: time to end, then the pod has failed by a disruption.</summary>
    NodeShutdown,
}

/// <summary>Runs one pod from its start to its last status.</summary>
internal sealed partial class PodWorker(V1Pod pod, string podIp, PodFolder folder, PodEnvironment environment, PodStatusWriter status, TimeProvider time, ILogger logger)
{
    private const int MessageCharacters = 2048;
    private readonly TaskCompletionSource<(PodEnd Why, TimeSpan Grace)> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _vanished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public V1Pod Pod => pod;

    public string PodIp => podIp;

    /// <summary>No process is left; the log grows no more.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Asks the pod to end; the first call's grace counts, but a pod whose object vanished is killed at once.</summary>
    public void End(PodEnd why, TimeSpan grace)
    {
        _end.TrySetResult((why, grace));
        if (why == PodEnd.Vanished)
        {
            _vanished.TrySetResult();
        }
    }

    public async Task RunAsync(CancellationToken ct)
    {
        var containers = new List<ContainerProcess>();
        try
        {
            try
            {
                await StartAsync(containers, ct);
            }
            catch (PodException e)
            {
                await KillAsync(containers);
                await status.WriteAsync(pod, "Failed", podIp, [], e.Reason, e.Message, null, ct);
                await RemoveWhenDeletedAsync(ct);
                return;
            }

            var exits = Task.WhenAll(containers.Select(container => container.Exited));
            await status.WriteAsync(pod, "Running", podIp, States(containers, null), null, null, null, ct);
            LogStarted(logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, podIp, containers[0].ProcessId);
            await Task.WhenAny(exits, _end.Task);
            if (!exits.IsCompleted)
            {
                await TerminateAsync(containers, exits);
            }

            var codes = await exits;
            var isShutdown = _end.Task is { IsCompletedSuccessfully: true, Result.Why: PodEnd.NodeShutdown } && codes.Any(code => code != 0);
            var phase = Array.TrueForAll(codes, code => code == 0) ? "Succeeded" : "Failed";
            LogEnded(logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, phase, string.Join(", ", codes));
            HasEnded = true;
            folder.Forget();
            await status.WriteAsync(
                pod, phase, podIp, States(containers, codes),
                isShutdown ? "Terminated" : null, isShutdown ? "Pod was terminated in response to imminent node shutdown." : null, isShutdown ? "TerminationByKubelet" : null, ct);
            await RemoveWhenDeletedAsync(ct);
        }
        finally
        {
            await KillAsync(containers);
        }
    }

    /// <summary>The object of an ended pod goes when somebody asks for it; a node that stops leaves it.</summary>
    public async Task RemoveWhenDeletedAsync(CancellationToken ct)
    {
        var (why, _) = await _end.Task.WaitAsync(ct);
        if (why == PodEnd.Deleted)
        {
            await status.RemoveAsync(pod, ct);
        }
    }

    private async Task StartAsync(List<ContainerProcess> containers, CancellationToken ct)
    {
        Check();
        folder.Create();
        foreach (var container in pod.Spec.Containers)
        {
            var variables = await environment.ResolveAsync(pod, container, podIp, folder.Path, ct);
            var command = environment.Command(container, variables);
            var process = ContainerProcess.Start(container.Name, command, container.WorkingDir ?? folder.Path, variables, folder.Log(container.Name), time);
            containers.Add(process);
            folder.Record(process.ProcessId);
        }
    }

    private void Check()
    {
        if (pod.Spec.RestartPolicy != "Never")
        {
            throw new PodException("UnsupportedRestartPolicy", $"restartPolicy {pod.Spec.RestartPolicy}: this node runs pods with restartPolicy Never alone");
        }

        if (pod.Spec.InitContainers is { Count: > 0 })
        {
            throw new PodException("UnsupportedInitContainers", "this node runs no init containers; remove initContainers");
        }

        // Processes share the machine's file system: memory-backed /dev/shm is there, and a host path can only be itself.
        foreach (var mount in pod.Spec.Containers.SelectMany(container => container.VolumeMounts ?? []))
        {
            var volume = (pod.Spec.Volumes ?? []).FirstOrDefault(candidate => candidate.Name == mount.Name);
            if (!(mount.MountPath == "/dev/shm" && volume?.EmptyDir is not null) && volume?.HostPath?.Path != mount.MountPath)
            {
                throw new PodException("UnsupportedVolume", $"volume {mount.Name} at {mount.MountPath}: a node of local processes mounts nothing; use a path of this machine without a volume");
            }
        }
    }

    private async Task TerminateAsync(List<ContainerProcess> containers, Task exits)
    {
        var (why, grace) = await _end.Task;
        LogEnding(logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, why, grace.TotalSeconds);
        if (why != PodEnd.Vanished)
        {
            containers.ForEach(container => container.Terminate());
            await Task.WhenAny(exits, _vanished.Task, Task.Delay(grace, time));
        }

        containers.ForEach(container => container.Kill());
    }

    private static async Task KillAsync(List<ContainerProcess> containers)
    {
        foreach (var container in containers)
        {
            container.Kill();
            await container.Exited;
            container.Dispose();
        }

        containers.Clear();
    }

    private List<ContainerState> States(List<ContainerProcess> containers, int[]? codes) =>
    [
        .. pod.Spec.Containers.Zip(containers).Select((pair, i) => new ContainerState(
            pair.First.Name,
            pair.First.Image ?? "",
            pair.Second.StartedAt,
            codes?[i],
            codes is null ? null : time.GetUtcNow(),
            codes?[i] is null or 0 ? null : ContainerLog.Tail(folder.Log(pair.First.Name), MessageCharacters))),
    ];

    [LoggerMessage(1, LogLevel.Information, "Started pod {Namespace}/{Pod} at {PodIp} as process {ProcessId}.")]
    private static partial void LogStarted(ILogger logger, string @namespace, string pod, string podIp, int processId);

    [LoggerMessage(2, LogLevel.Information, "Ending pod {Namespace}/{Pod}: {Why}, within {Grace} s.")]
    private static partial void LogEnding(ILogger logger, string @namespace, string pod, PodEnd why, double grace);

    [LoggerMessage(3, LogLevel.Information, "Pod {Namespace}/{Pod} ended: {Phase}, exit codes {Codes}.")]
    private static partial void LogEnded(ILogger logger, string @namespace, string pod, string phase, string codes);
}
