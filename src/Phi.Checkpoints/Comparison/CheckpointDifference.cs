namespace Phi.Checkpoints.Comparison;

/// <summary>What is different between two checkpoints, however each is cut; <c>--output json</c> prints this.</summary>
/// <param name="IsEqual">Every tensor that either has is in both, and equal bit for bit. Fields may differ.</param>
/// <param name="Fields">That differ.</param>
/// <param name="OnlyInFirst">Tensors that the second has not, or not in that shape.</param>
/// <param name="OnlyInSecond">Tensors that the first has not, or not in that shape.</param>
/// <param name="Tensors">Of all that both have.</param>
public sealed record CheckpointDifference(string First, string Second, bool IsEqual, IReadOnlyList<FieldDifference> Fields, IReadOnlyList<string> OnlyInFirst, IReadOnlyList<string> OnlyInSecond, IReadOnlyList<TensorDifference> Tensors);
