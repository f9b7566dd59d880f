using k8s.Models;

namespace Phi.LocalCluster.Nodes;

/// <summary>Settings of a node whose pods are processes of this machine.</summary>
public sealed record NodeAgentOptions
{
    public required string Kubeconfig { get; init; }

    /// <summary>Name of the Node object.</summary>
    public required string Name { get; init; }

    /// <summary>CPU slots, one per rank: the capacity of phi-orchestrator.io/cpu. A node with GPUs offers those instead.</summary>
    public required int Slots { get; init; }

    /// <summary>GPUs to offer as nvidia.com/gpu. Default 0: a CPU node. More than the machine has: the node is labelled as simulated.</summary>
    public int Gpus { get; init; }

    /// <summary>The GPUs' product, such as A100; in lower case it is the node's accelerator type. Needed with <see cref="Gpus"/>.</summary>
    public string? GpuProduct { get; init; }

    /// <summary>Further labels of the Node object, such as those of its topology.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Taints that a new Node object gets; those of one that is there already stay as they are.</summary>
    public IReadOnlyList<V1Taint> Taints { get; init; } = [];

    /// <summary>Folder of logs and of what a restart must know.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Folders in which a pod's command is looked for before PATH.</summary>
    public IReadOnlyList<string> ToolPath { get; init; } = [];

    /// <summary>Variables by which containers find a volume: they become paths of this machine, and nothing is mounted.</summary>
    public IReadOnlyList<VolumeVariable> VolumeVariables { get; init; } = [];

    /// <summary>Variables that every pod of this node gets.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
