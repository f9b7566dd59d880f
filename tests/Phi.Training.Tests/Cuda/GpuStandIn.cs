using Phi.StandIns;
using Phi.Training.Devices;
using TorchSharp;

namespace Phi.Training.Tests.Cuda;

/// <summary>A GPU device on the stand-in libraries. Tests of one process share its counts and its delay, so they run one after another.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class GpuStandIn : ICollectionFixture<GpuStandIn>, IDisposable
{
    public const string Name = "gpu stand-in";
    private readonly string _images = Directory.CreateTempSubdirectory("phi-images-").FullName;

    public GpuStandIn()
    {
        StandInLibraries.Use();
        Device = new CudaDevice(0, _images, torch.CPU);
    }

    /// <summary>Current on the thread that made it; others call <see cref="IDevice.EnterThread"/>.</summary>
    public CudaDevice Device { get; }

    public void Dispose()
    {
        Device.Dispose();
        Directory.Delete(_images, recursive: true);
    }
}
