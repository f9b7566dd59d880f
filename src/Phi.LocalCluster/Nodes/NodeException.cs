namespace Phi.LocalCluster.Nodes;

/// <summary>Why this machine cannot be the node that it was asked to be, with the remedy.</summary>
public sealed class NodeException(string message) : Exception(message);
