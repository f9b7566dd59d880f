using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>The four conditions that the node controller and kube-scheduler read, with a kubelet's reasons.</summary>
internal static class NodeConditions
{
    /// <summary>A kubelet's own threshold for memory.</summary>
    private const long LeastMemoryBytes = 100L << 20;

    /// <summary>Absolute, unlike a kubelet's share of the disk: the disk is the machine's, with files that no eviction would free.</summary>
    private const long LeastDiskBytes = 1L << 30;
    private const long LeastProcessIds = 1000;

    /// <param name="old">As the API server has them; a transition's time stays while the status does.</param>
    public static JsonArray Of(bool isReady, MachineLoad load, IEnumerable<V1NodeCondition>? old, DateTimeOffset now)
    {
        var isShort = (Memory: load.MemoryBytes < LeastMemoryBytes, Disk: load.DiskBytes < LeastDiskBytes, Ids: load.ProcessIds < LeastProcessIds);
        (string Type, bool Status, string Reason, string Message)[] conditions =
        [
            ("MemoryPressure", isShort.Memory, isShort.Memory ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory", $"the machine has {load.MemoryBytes >> 20} MiB of memory left"),
            ("DiskPressure", isShort.Disk, isShort.Disk ? "KubeletHasDiskPressure" : "KubeletHasNoDiskPressure", $"the state's file system has {load.DiskBytes >> 30} GiB left"),
            ("PIDPressure", isShort.Ids, isShort.Ids ? "KubeletHasInsufficientPID" : "KubeletHasSufficientPID", $"the machine has {load.ProcessIds} process ids left"),
            ("Ready", isReady, isReady ? "KubeletReady" : NodeRegistration.ShutdownReason, isReady ? "node agent is posting ready status" : "node agent is stopping"),
        ];
        var stamp = Stamp(now);
        return
        [
            .. conditions.Select(condition =>
            {
                var status = condition.Status ? "True" : "False";
                var before = old?.FirstOrDefault(candidate => candidate.Type == condition.Type && candidate.Status == status)?.LastTransitionTime;
                return (JsonNode)new JsonObject
                {
                    ["type"] = condition.Type,
                    ["status"] = status,
                    ["reason"] = condition.Reason,
                    ["message"] = condition.Message,
                    ["lastHeartbeatTime"] = stamp,
                    ["lastTransitionTime"] = before is { } time ? Stamp(time) : stamp,
                };
            }),
        ];
    }

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
