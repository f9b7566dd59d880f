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

    /// <summary>The pod's activeDeadlineSeconds are over: time to end, then the pod has failed.</summary>
    DeadlineExceeded,
}
