namespace Phi.Checkpoints.Resharding;

/// <summary>Consecutive bytes of a saved shard's tensor, and where they go in the tensor of the same name of the shard to be filled.</summary>
/// <param name="Shard">Index in the manifest's shards.</param>
/// <param name="First">Bytes from the start of the saved tensor.</param>
/// <param name="Into">Bytes from the start of the tensor to be filled.</param>
public sealed record ReshardRange(int Shard, string Tensor, long First, long Bytes, long Into);
