using System.Net;
using Phi.Collectives;
using Phi.Collectives.Cuda;
using Phi.Collectives.Nccl;
using Phi.Training.Devices;
using Phi.Training.Loop;
using TorchSharp;

namespace Phi.Trainer.Ranks;

/// <summary>What this rank computes on: the CPU, or the GPU of its local rank, joined to the other ranks' by NCCL.</summary>
internal sealed class RankAccelerator : IAsyncDisposable
{
    private const string Cpu = "cpu";

    private RankAccelerator(RankDevice? device) => Device = device;

    /// <summary>Null: the CPU.</summary>
    public RankDevice? Device { get; }

    /// <summary>Collective, where the accelerator is a GPU.</summary>
    /// <param name="type">The job's spec.accelerator.type: <c>cpu</c>, or a GPU's.</param>
    /// <param name="imageFolder">For compiled kernels, shared by the node's ranks.</param>
    /// <exception cref="ArgumentException">The GPU's libraries, or a libtorch that computes on it, are missing.</exception>
    /// <exception cref="CudaException">The GPU is missing or broken; another node's may not be.</exception>
    public static async Task<RankAccelerator> OpenAsync(string type, int localRank, RankStart start, string imageFolder, ICommunicator host, CancellationToken cancellationToken)
    {
        if (type == Cpu)
        {
            return new RankAccelerator(null);
        }

        var device = Open(type, localRank, imageFolder);
        try
        {
            var options = new NcclOptions { NodeRank = start.NodeRank, BindAddress = IPAddress.Parse(start.BindAddress) };
            return new RankAccelerator(new RankDevice(device, await NcclGroup.ConnectAsync(host, device.Context, device.Add, options, cancellationToken)));
        }
        catch (DllNotFoundException e)
        {
            device.Dispose();
            throw Missing(type, e);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Device is { } device)
        {
            await device.Group.DisposeAsync();
            device.Device.Dispose();
        }
    }

    private static CudaDevice Open(string type, int localRank, string imageFolder)
    {
        try
        {
            if (torch.cuda_is_available())
            {
                return new CudaDevice(localRank, imageFolder);
            }

            throw new ArgumentException($"spec.accelerator.type '{type}' needs a libtorch that computes on GPUs, and this trainer's computes on the CPU alone; use the GPU image (built with -p:TorchBackend=cuda), or write type: cpu");
        }
        catch (DllNotFoundException e)
        {
            throw Missing(type, e);
        }
    }

    private static ArgumentException Missing(string type, Exception cause) => new($"spec.accelerator.type '{type}' cannot be used on this node: {cause.Message}", cause);
}
