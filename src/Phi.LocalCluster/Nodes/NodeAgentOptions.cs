namespace Phi.LocalCluster.Nodes;

/// <summary>Settings of a node whose pods are processes of this machine.</summary>
public sealed class NodeAgentOptions
{
    public required string Kubeconfig { get; init; }

    /// <summary>Name of the Node object.</summary>
    public required string Name { get; init; }

    /// <summary>CPU slots, one per rank: the capacity of phi-orchestrator.io/cpu.</summary>
    public required int Slots { get; init; }

    /// <summary>Folder of logs and of what a restart must know.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Folders in which a pod's command is looked for before PATH.</summary>
    public IReadOnlyList<string> ToolPath { get; init; } = [];

    /// <summary>Variables that every pod of this node gets.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
