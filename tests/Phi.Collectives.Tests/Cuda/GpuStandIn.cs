using Phi.Collectives.Cuda;
using Phi.StandIns;

namespace Phi.Collectives.Tests.Cuda;

/// <summary>Tests of one process share the stand-in's devices, counts and delay, so they run one after another.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class GpuStandIn : ICollectionFixture<GpuStandIn>
{
    public const string Name = "gpu stand-in";

    public GpuStandIn() => StandInLibraries.Use();

    /// <summary>Current on the calling thread until disposed.</summary>
    public static CudaContext Open(int ordinal = 0) => new(ordinal);
}
