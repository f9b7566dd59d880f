using k8s.Models;
using Microsoft.Extensions.Logging;
using Phi.Kubernetes;

namespace Phi.LocalCluster.Nodes;

/// <summary>Runs one pod from its start to its last status: init containers one after the other, sidecars beside, then the containers.</summary>
internal sealed partial class PodWorker : IDisposable
{
    private const int MessageCharacters = 2048;
    private static readonly TimeSpan MissingDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastBackoff = TimeSpan.FromMinutes(5);
    private readonly PodFolder _folder;
    private readonly ContainerStarter _starter;
    private readonly StartupProbe _probe;
    private readonly PodStatusWriter _status;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PodStop _stop;
    private readonly List<ContainerRun> _inits;
    private readonly List<ContainerRun> _mains;
    private readonly DateTimeOffset _startedAt;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>One status at a time, so that an older one never comes after a newer one.</summary>
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly List<Task> _sidecars = [];
    private volatile V1Pod _pod;
    private volatile string _phase = "Pending";
    private volatile bool _isInitialized;

    /// <summary>Completes when sidecars are no longer started again.</summary>
    private readonly TaskCompletionSource _sidecarsEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PodWorker(V1Pod pod, string podIp, PodFolder folder, PodEnvironment environment, PodVolumes volumes, PodStatusWriter status, TimeProvider time, ILogger logger)
    {
        (_pod, PodIp, _folder, _status, _time, _logger) = (pod, podIp, folder, status, time, logger);
        _starter = new ContainerStarter(pod, podIp, folder, environment, volumes, time);
        _probe = new StartupProbe(_starter, time);
        _stop = new PodStop(time);
        _inits = [.. (pod.Spec.InitContainers ?? []).Select(container => new ContainerRun(container, isInit: true))];
        _mains = [.. pod.Spec.Containers.Select(container => new ContainerRun(container, isInit: false))];
        _startedAt = pod.Status?.StartTime ?? time.GetUtcNow();
    }

    public V1Pod Pod => _pod;

    public string PodIp { get; }

    private TimeSpan Grace => TimeSpan.FromSeconds(_pod.Spec.TerminationGracePeriodSeconds ?? 30);

    /// <summary>Whether the container's log may still grow.</summary>
    public bool IsLive(string container) =>
        !_ended.Task.IsCompleted && _inits.Concat(_mains).FirstOrDefault(run => run.Container.Name == container) is not { ExitCode: not null, IsSidecar: false };

    /// <summary>Asks the pod to end, see <see cref="PodStop.End"/>.</summary>
    public void End(PodEnd why, TimeSpan grace) => _stop.End(why, grace);

    /// <summary>Takes the pod as the API server has it now: its deadline may have changed.</summary>
    public void Update(V1Pod pod)
    {
        var old = _pod.Spec.ActiveDeadlineSeconds;
        _pod = pod;
        if (pod.Spec.ActiveDeadlineSeconds is { } now && now != old)
        {
            _ = _stop.WatchDeadlineAsync(() => _pod, _startedAt, _ended.Task);
        }
    }

    public async Task RunAsync(CancellationToken ct)
    {
        using var refreshing = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _ = _stop.WatchDeadlineAsync(() => _pod, _startedAt, _ended.Task);
        var refresh = Task.CompletedTask;
        (string? Reason, string? Message) failure = default;
        try
        {
            Check();
            if (await TryAsync([.. _inits, .. _mains], _starter.PrepareAsync, ct))
            {
                refresh = RefreshAsync(refreshing.Token);
                if (await InitializeAsync(ct) && !_stop.Requested.IsCompleted)
                {
                    _isInitialized = true;
                    await RunAllAsync(_mains, "Running", ct);
                }
            }
        }
        catch (PodException e)
        {
            failure = (e.Reason, e.Message);
        }
        finally
        {
            await EndAllAsync();
            await refreshing.CancelAsync();
            await refresh;
        }

        await ReportEndAsync(failure, ct);
        await RemoveWhenDeletedAsync(ct);
    }

    /// <summary>The object of an ended pod goes when somebody asks for it; a node that stops leaves it.</summary>
    public async Task RemoveWhenDeletedAsync(CancellationToken ct)
    {
        _ended.TrySetResult();
        if (await _stop.Released.WaitAsync(ct) == PodEnd.Deleted)
        {
            await _status.RemoveAsync(_pod, ct);
        }
    }

    public void Dispose() => _writing.Dispose();

    private void Check()
    {
        if (_pod.Spec.RestartPolicy != "Never")
        {
            throw new PodException("UnsupportedRestartPolicy", $"restartPolicy {_pod.Spec.RestartPolicy}: this node runs pods with restartPolicy Never alone");
        }
    }

    /// <summary>False if an init container failed, or the pod is to end.</summary>
    private async Task<bool> InitializeAsync(CancellationToken ct)
    {
        foreach (var run in _inits)
        {
            if (_stop.Requested.IsCompleted)
            {
                return false;
            }

            if (run.IsSidecar)
            {
                if (!await StartAsync(run, ct))
                {
                    return false;
                }

                _sidecars.Add(SuperviseAsync(run, ct));
                await _probe.PassAsync(run, _stop.Requested, ct);
            }
            else if (!await RunAllAsync([run], "Pending", ct))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Starts containers and waits for their end, which is asked for when the pod's is; true if all ended with 0.</summary>
    private async Task<bool> RunAllAsync(List<ContainerRun> runs, string phase, CancellationToken ct)
    {
        List<ContainerRun> started = [];
        foreach (var run in runs)
        {
            if (!await StartAsync(run, ct))
            {
                break;
            }

            started.Add(run);
        }

        var exits = Task.WhenAll(started.Select(run => run.ExitAsync(_time)));
        if (started.Count == runs.Count)
        {
            _phase = phase;
            await WriteAsync(ct);
            LogStarted(_logger, _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, PodIp, runs[0].Process!.ProcessId);
        }

        await Task.WhenAny(exits, _stop.Requested);
        if (!exits.IsCompleted)
        {
            LogEnding(_logger, _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, await _stop.Requested);
            await EndAsync(started, exits);
        }

        return Array.TrueForAll(await exits, code => code == 0) && started.Count == runs.Count;
    }

    /// <summary>False if the pod is to end before the container can be started.</summary>
    /// <exception cref="PodException">It never can.</exception>
    private Task<bool> StartAsync(ContainerRun run, CancellationToken ct) => TryAsync([run], token => _starter.StartAsync(run, token), ct);

    /// <summary>Tries again, as a kubelet does, until it is done or the pod is to end: what is missing may be created after the pod. The status says what that is.</summary>
    /// <param name="waiting">Containers that cannot start before.</param>
    private async Task<bool> TryAsync(IReadOnlyList<ContainerRun> waiting, Func<CancellationToken, Task> act, CancellationToken ct)
    {
        while (!_stop.Requested.IsCompleted)
        {
            try
            {
                await act(ct);
                Wait(waiting, null);
                return true;
            }
            catch (PodException e) when (e.IsTransient)
            {
                // A volume that is not there leaves a container's usual reason as it is.
                (string? Reason, string Message) why = (e.Reason == "FailedMount" ? null : e.Reason, e.Message);
                if (waiting[0].Waiting != why)
                {
                    LogWaiting(_logger, _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, e.Message);
                    Wait(waiting, why);
                    await WriteAsync(ct);
                }
            }

            await Task.WhenAny(_stop.Requested, Task.Delay(MissingDelay, _time, ct));
        }

        return false;
    }

    private static void Wait(IEnumerable<ContainerRun> runs, (string? Reason, string Message)? why)
    {
        foreach (var run in runs)
        {
            run.Waiting = why;
        }
    }

    private async Task EndAsync(List<ContainerRun> runs, Task exits)
    {
        if (!_stop.Killed.IsCompleted)
        {
            foreach (var run in runs)
            {
                run.Process!.Terminate();
            }

            await Task.WhenAny(exits, _stop.Killed);
        }

        foreach (var run in runs)
        {
            run.Process!.Kill();
        }
    }

    /// <summary>Ends the sidecars, the last one first, within the pod's time to end; then nothing of the pod is left.</summary>
    private async Task EndAllAsync()
    {
        _sidecarsEnd.TrySetResult();
        foreach (var run in _inits.Concat(_mains).Where(run => run is { Process: not null, ExitCode: null, IsSidecar: false }))
        {
            // Left by a container beside it that could not be started.
            run.Process!.Kill();
            await run.ExitAsync(_time);
        }

        if (_sidecars.Count > 0)
        {
            _stop.KillAfter(Grace);
            await Task.WhenAll(_sidecars);
        }

        foreach (var run in _inits.Where(run => run is { IsSidecar: true, Process: not null }).Reverse())
        {
            await EndAsync([run], run.Process!.Exited);
            await run.ExitAsync(_time);
        }

        foreach (var run in _inits.Concat(_mains))
        {
            run.Process?.Dispose();
        }

        _folder.Forget();
    }

    /// <summary>Starts a sidecar again whenever it ends, later each time, until the pod's containers have ended.</summary>
    private async Task SuperviseAsync(ContainerRun run, CancellationToken ct)
    {
        for (var backoff = FirstBackoff; ; backoff = backoff * 2 < LastBackoff ? backoff * 2 : LastBackoff)
        {
            if (await Task.WhenAny(run.Process!.Exited, _sidecarsEnd.Task) == _sidecarsEnd.Task)
            {
                return;
            }

            await run.ExitAsync(_time);
            await WriteAsync(ct);
            if (await Task.WhenAny(Task.Delay(backoff, _time, ct), _sidecarsEnd.Task) == _sidecarsEnd.Task)
            {
                return;
            }

            try
            {
                await _starter.StartAsync(run, ct);
                await WriteAsync(ct);
            }
            catch (PodException e)
            {
                // Its last end stands; the next try comes later.
                LogSidecar(_logger, _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, run.Container.Name, e.Message);
            }
        }
    }

    private async Task RefreshAsync(CancellationToken ct)
    {
        try
        {
            await _starter.RefreshAsync(problem => LogRefresh(_logger, _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, problem), ct);
        }
        catch (OperationCanceledException)
        {
            // The pod has ended.
        }
    }

    private async Task ReportEndAsync((string? Reason, string? Message) failure, CancellationToken ct)
    {
        var why = _stop.Requested.IsCompletedSuccessfully ? await _stop.Requested : (PodEnd?)null;
        var isGood = failure.Reason is null && why != PodEnd.DeadlineExceeded && _mains.TrueForAll(run => run.ExitCode == 0);
        _phase = isGood ? "Succeeded" : "Failed";
        LogEnded(_logger, _pod.Metadata.NamespaceProperty, _pod.Metadata.Name, _phase, string.Join(", ", _mains.Select(run => run.ExitCode)));
        _ended.TrySetResult();
        (failure, var disruption) = (isGood, failure.Reason, why) switch
        {
            (false, null, PodEnd.DeadlineExceeded) => (("DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), null),
            (false, null, PodEnd.NodeShutdown) => (("Terminated", "Pod was terminated in response to imminent node shutdown."), "TerminationByKubelet"),
            _ => (failure, (string?)null),
        };
        await WriteAsync(failure.Reason, failure.Message, disruption, ct);
    }

    private Task WriteAsync(CancellationToken ct) => WriteAsync(null, null, null, ct);

    private async Task WriteAsync(string? reason, string? message, string? disruption, CancellationToken ct)
    {
        await _writing.WaitAsync(ct);
        try
        {
            await _status.WriteAsync(
                _pod,
                new PodReport
                {
                    Phase = _phase,
                    PodIp = PodIp,
                    StartedAt = _startedAt,
                    Containers = [.. _mains.Select(run => run.State(_folder, MessageCharacters))],
                    InitContainers = [.. _inits.Select(run => run.State(_folder, MessageCharacters))],
                    IsInitialized = _isInitialized,
                    Reason = reason,
                    Message = message,
                    Disruption = disruption,
                },
                ct);
        }
        finally
        {
            _writing.Release();
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Started containers of pod {Namespace}/{Pod} at {PodIp}, the first as process {ProcessId}.")]
    private static partial void LogStarted(ILogger logger, string @namespace, string pod, string podIp, int processId);

    [LoggerMessage(2, LogLevel.Information, "Ending pod {Namespace}/{Pod}: {Why}.")]
    private static partial void LogEnding(ILogger logger, string @namespace, string pod, PodEnd why);

    [LoggerMessage(3, LogLevel.Information, "Pod {Namespace}/{Pod} ended: {Phase}, exit codes {Codes}.")]
    private static partial void LogEnded(ILogger logger, string @namespace, string pod, string phase, string codes);

    [LoggerMessage(4, LogLevel.Warning, "Pod {Namespace}/{Pod}: sidecar {Container} cannot be started again: {Problem}.")]
    private static partial void LogSidecar(ILogger logger, string @namespace, string pod, string container, string problem);

    [LoggerMessage(5, LogLevel.Warning, "Pod {Namespace}/{Pod}: its tokens are not renewed yet, which is tried again: {Problem}")]
    private static partial void LogRefresh(ILogger logger, string @namespace, string pod, string problem);

    [LoggerMessage(6, LogLevel.Information, "Pod {Namespace}/{Pod} cannot start yet: {Problem}.")]
    private static partial void LogWaiting(ILogger logger, string @namespace, string pod, string problem);
}
