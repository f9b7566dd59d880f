using System.Runtime.InteropServices;
using Phi.Training.Devices;

namespace Phi.Training.Loop;

/// <summary>A rank's state as host memory: the live one, or a copy of it.</summary>
public sealed unsafe class HostState : IDisposable
{
    private const int Alignment = 64;
    private readonly IDevice _device;
    private readonly List<(StateTensor Device, StateTensor Host)> _copies = [];
    private readonly List<StateTensor> _tensors = [];
    private HostBlock? _block;

    /// <param name="block">Takes the copies; null: the device's memory is the host's, and nothing is copied.</param>
    /// <param name="isSnapshot">Whether what is in the host's memory anyhow is copied too, so that nothing of it changes any more.</param>
    internal HostState(IDevice device, IReadOnlyList<StateTensor> onDevice, IEnumerable<(string Name, float[] Pinned)> onHost, HostBlock? block, bool isSnapshot)
    {
        (_device, _block) = (device, block);
        List<StateTensor> others = [.. onHost.Select(array => new StateTensor(array.Name, Marshal.UnsafeAddrOfPinnedArrayElement(array.Pinned, 0), array.Pinned.Length))];
        var memory = block?.Take(onDevice.Concat(others).Sum(Room)) ?? 0;
        foreach (var tensor in onDevice)
        {
            _tensors.Add(block is null ? tensor : Place(tensor));
            if (block is not null)
            {
                device.Download(tensor.Values, _tensors[^1].Values, Bytes(tensor));
                _copies.Add((tensor, _tensors[^1]));
            }
        }

        foreach (var tensor in others)
        {
            _tensors.Add(isSnapshot ? Place(tensor) : tensor);
            if (isSnapshot)
            {
                Buffer.MemoryCopy((void*)tensor.Values, (void*)_tensors[^1].Values, Bytes(tensor), Bytes(tensor));
            }
        }

        StateTensor Place(StateTensor tensor)
        {
            var place = memory;
            memory += (nint)Room(tensor);
            return tensor with { Values = place };
        }
    }

    public IReadOnlyList<StateTensor> Tensors => _tensors;

    /// <summary>Call after the tensors were written: the rank goes on from what they hold.</summary>
    public void Apply()
    {
        foreach (var (onDevice, host) in _copies)
        {
            _device.Upload(host.Values, onDevice.Values, Bytes(host));
        }
    }

    /// <summary>May be called by another thread than the one that made it.</summary>
    public void Dispose()
    {
        _copies.Clear();
        _tensors.Clear();
        Interlocked.Exchange(ref _block, null)?.Return();
    }

    private static long Bytes(StateTensor tensor) => tensor.Length * sizeof(float);

    private static long Room(StateTensor tensor) => (Bytes(tensor) + Alignment - 1) / Alignment * Alignment;
}
