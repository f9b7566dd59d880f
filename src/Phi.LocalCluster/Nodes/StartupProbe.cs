using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>
/// A sidecar's startup probe: what comes after the sidecar waits for it (kubernetes.io, "Sidecar containers"). Commands alone; a node of
/// local processes asks no ports.
/// </summary>
internal sealed class StartupProbe(ContainerStarter starter, TimeProvider time)
{
    private const int DefaultPeriodSeconds = 10;
    private const int DefaultFailures = 3;

    /// <summary>Waits until the container's command succeeds, at once if it has none; kills the container each time its failures are too many.</summary>
    /// <param name="end">Completes when the pod is to end: then there is no more waiting.</param>
    /// <exception cref="PodException">The command cannot be run.</exception>
    public async Task PassAsync(ContainerRun run, Task end, CancellationToken ct)
    {
        if (run.Container.StartupProbe is not { Exec.Command: { Count: > 0 } command } probe)
        {
            return;
        }

        await DelayAsync(probe.InitialDelaySeconds ?? 0, end, ct);
        for (var failures = 0; !end.IsCompleted; await DelayAsync(probe.PeriodSeconds ?? DefaultPeriodSeconds, end, ct))
        {
            if (await SucceedsAsync(run.Container, command, probe.TimeoutSeconds ?? 1, end, ct))
            {
                return;
            }

            if (++failures >= (probe.FailureThreshold ?? DefaultFailures))
            {
                run.Process!.Kill();
                failures = 0;
            }
        }
    }

    private async Task<bool> SucceedsAsync(V1Container container, IList<string> command, int seconds, Task end, CancellationToken ct)
    {
        using var process = await starter.ExecuteAsync(container, command, ct);
        if (await Task.WhenAny(process.Exited, end, Task.Delay(TimeSpan.FromSeconds(seconds), time, ct)) != process.Exited)
        {
            process.Kill();
            await process.Exited;
            return false;
        }

        return await process.Exited == 0;
    }

    private async Task DelayAsync(int seconds, Task end, CancellationToken ct) => await Task.WhenAny(end, Task.Delay(TimeSpan.FromSeconds(seconds), time, ct));
}
