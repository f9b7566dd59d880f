namespace Phi.LocalCluster.Nodes;

/// <summary>Tells containers that mount a volume where it is.</summary>
/// <param name="Name">Of the variable.</param>
/// <param name="File">Of the volume, which the variable names; null: it names the volume's folder.</param>
public sealed record VolumeVariable(string Volume, string Name, string? File = null);
