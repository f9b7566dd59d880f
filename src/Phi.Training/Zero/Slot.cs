using Phi.Training.Devices;
using Phi.Training.Kernels;
using static TorchSharp.torch;

namespace Phi.Training.Zero;

/// <summary>
/// Room for one gathered unit: flat weights and gradients, each [places × matrixShard | places × vectorShard], and leaf views of each
/// parameter whose <c>.grad</c> is preset to the view of the gradients. Raw writes do not bump autograd's version counters, so views
/// saved by a forward pass stay valid when the same weights are gathered again.
/// </summary>
internal sealed class Slot : IDisposable
{
    private readonly Tensor _weights;
    private readonly Tensor _gradients;
    private readonly List<Tensor> _views = [];
    private readonly List<Tensor> _gradientViews = [];
    private readonly IDevice _device;
    private readonly long _length;
    private readonly nint _weightsAddress;
    private readonly nint _gradientsAddress;

    public Slot(IDevice device, ShardedUnit unit, int places, ComputePrecision precision)
    {
        using var scope = NewDisposeScope();
        _device = device;
        Precision = precision;
        MatrixLength = places * unit.MatrixShard;
        _length = places * unit.ShardLength;
        _weights = zeros(_length, precision.TorchType, device.Torch).DetachFromDisposeScope();
        _gradients = zeros(_length, precision.TorchType, device.Torch).DetachFromDisposeScope();
        (_weightsAddress, _gradientsAddress) = (TensorMemory.Address(_weights), TensorMemory.Address(_gradients));
        foreach (var tensor in unit.Layout.Tensors)
        {
            var offset = tensor.IsMatrix ? tensor.Offset : MatrixLength + tensor.Offset;
            var view = _weights.narrow(0, offset, tensor.Length).view(tensor.Shape).detach().requires_grad_().DetachFromDisposeScope();
            var gradient = _gradients.narrow(0, offset, tensor.Length).view(tensor.Shape).DetachFromDisposeScope();
            view.grad = gradient;
            _views.Add(view);
            _gradientViews.Add(gradient);
        }
    }

    public ComputePrecision Precision { get; }

    /// <summary>Elements of the matrices' region; the vectors come behind it.</summary>
    public long MatrixLength { get; }

    /// <summary>Index of the unit that the slot holds, or will hold once <see cref="Gathering"/> is done; -1 after the weights have changed.</summary>
    public int Owner { get; set; } = -1;

    public CommunicationStream.Work? Gathering { get; set; }

    /// <summary>Reads the gradients; they must not change before it is done.</summary>
    public CommunicationStream.Work? Reducing { get; set; }

    public long Bytes => 2 * _length * Precision.ElementBytes;

    public IReadOnlyList<Tensor> Parameters => _views;

    public nint WeightsAt(long element) => _weightsAddress + (nint)(element * Precision.ElementBytes);

    public nint GradientsAt(long element) => _gradientsAddress + (nint)(element * Precision.ElementBytes);

    public void ClearGradients() => _device.Clear(_gradientsAddress, _length * Precision.ElementBytes);

    public void Dispose()
    {
        foreach (var tensor in (IEnumerable<Tensor>)[.. _views, .. _gradientViews, _weights, _gradients])
        {
            tensor.Dispose();
        }
    }
}
