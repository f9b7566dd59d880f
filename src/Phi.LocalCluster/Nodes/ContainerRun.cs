using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>A container of a pod over its starts.</summary>
internal sealed class ContainerRun(V1Container container, bool isInit)
{
    public V1Container Container => container;

    public bool IsInit => isInit;

    /// <summary>An init container that runs beside the others and is started again when it ends.</summary>
    public bool IsSidecar => isInit && container.RestartPolicy == "Always";

    /// <summary>Null before the first start.</summary>
    public ContainerProcess? Process { get; private set; }

    public int Restarts { get; private set; }

    public int? ExitCode { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    /// <summary>Why it has not started yet, if there is more to say than that. Reason null: the usual one.</summary>
    public (string? Reason, string Message)? Waiting { get; set; }

    public void Started(ContainerProcess process)
    {
        if (Process is not null)
        {
            Process.Dispose();
            Restarts++;
        }

        (Process, ExitCode, FinishedAt) = (process, null, null);
    }

    /// <summary>Waits for the end of the process that runs now.</summary>
    public async Task<int> ExitAsync(TimeProvider time)
    {
        var code = await Process!.Exited;
        (ExitCode, FinishedAt) = (code, time.GetUtcNow());
        return code;
    }

    public ContainerState State(PodFolder folder, int messageCharacters) => new(
        container.Name,
        container.Image ?? "",
        Process?.StartedAt,
        ExitCode,
        FinishedAt,
        ExitCode is null or 0 ? null : ContainerLog.Tail(folder.Log(container.Name), messageCharacters),
        Restarts,
        Waiting);
}
