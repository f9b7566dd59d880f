namespace Phi.Checkpoints.Comparison;

/// <summary>A field of the manifest in both checkpoints; null: it is not there.</summary>
public sealed record FieldDifference(string Field, string? First, string? Second);
