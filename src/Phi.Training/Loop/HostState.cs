using System.Runtime.InteropServices;
using Phi.Training.Devices;

namespace Phi.Training.Loop;

/// <summary>A rank's state as host memory: the live one on the CPU, a copy on a GPU.</summary>
public sealed unsafe class HostState : IDisposable
{
    private readonly IDevice _device;
    private readonly List<(StateTensor Device, StateTensor Host)> _copies = [];
    private readonly List<StateTensor> _tensors = [];

    internal HostState(IDevice device, IEnumerable<StateTensor> onDevice, IEnumerable<(string Name, float[] Pinned)> onHost)
    {
        _device = device;
        foreach (var tensor in onDevice)
        {
            if (device is CpuDevice)
            {
                _tensors.Add(tensor);
                continue;
            }

            var host = tensor with { Values = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(64, tensor.Length * sizeof(float)), 64) };
            device.Download(tensor.Values, host.Values, tensor.Length * sizeof(float));
            _copies.Add((tensor, host));
            _tensors.Add(host);
        }

        _tensors.AddRange(onHost.Select(array => new StateTensor(array.Name, Marshal.UnsafeAddrOfPinnedArrayElement(array.Pinned, 0), array.Pinned.Length)));
    }

    public IReadOnlyList<StateTensor> Tensors => _tensors;

    /// <summary>Call after the tensors were written: the rank goes on from what they hold.</summary>
    public void Apply()
    {
        foreach (var (onDevice, host) in _copies)
        {
            _device.Upload(host.Values, onDevice.Values, host.Length * sizeof(float));
        }
    }

    public void Dispose()
    {
        foreach (var (_, host) in _copies)
        {
            NativeMemory.AlignedFree((void*)host.Values);
        }

        _copies.Clear();
        _tensors.Clear();
    }
}
