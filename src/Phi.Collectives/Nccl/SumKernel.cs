namespace Phi.Collectives.Nccl;

/// <summary>
/// sums += values on the device, count fp32 values, on the calling thread's stream. The communicator calls it with the blocks of a
/// reduction in rank order: NCCL's own reductions promise no order, and so no bits.
/// </summary>
public delegate void SumKernel(nint values, nint sums, long count);
