namespace Phi.LocalCluster.Nodes;

/// <summary>What is left of a machine.</summary>
/// <param name="MemoryBytes">Memory that can be had without swapping.</param>
/// <param name="DiskBytes">Free on the file system of the node's state.</param>
/// <param name="ProcessIds">Process ids that are not taken.</param>
internal sealed record MachineLoad(long MemoryBytes, long DiskBytes, long ProcessIds);
