using System.Runtime.CompilerServices;

namespace Phi.Collectives.Nccl;

/// <summary>ncclUniqueId: 128 bytes, passed by value. One rank makes it and every rank of the communicator gives it.</summary>
[InlineArray(Size)]
internal struct NcclUniqueId
{
    public const int Size = 128;

    private byte _first;
}
