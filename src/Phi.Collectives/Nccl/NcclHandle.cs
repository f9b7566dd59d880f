namespace Phi.Collectives.Nccl;

/// <summary>An ncclComm_t.</summary>
internal sealed class NcclHandle(nint value)
{
    /// <summary>0 once destroyed or aborted. Read and written under the family's lock of NCCL calls.</summary>
    public nint Value { get; set; } = value;
}
