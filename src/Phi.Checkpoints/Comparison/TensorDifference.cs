namespace Phi.Checkpoints.Comparison;

/// <summary>How far one tensor of a kind of state is from that of another checkpoint.</summary>
/// <param name="Kind">weights, first_moments or second_moments.</param>
/// <param name="IsEqual">Bit for bit.</param>
/// <param name="Differing">Elements whose bits differ.</param>
/// <param name="NotFinite">Of those, the ones of which either is infinite or no number; they count in neither of the figures that follow.</param>
/// <param name="MaxAbsolute">Largest absolute difference.</param>
/// <param name="MeanAbsolute">Mean absolute difference over all elements.</param>
public sealed record TensorDifference(string Tensor, string Kind, IReadOnlyList<long> Shape, bool IsEqual, long Differing, long NotFinite, double MaxAbsolute, double MeanAbsolute);
