using Phi.Training.Kernels;
using static TorchSharp.torch;

namespace Phi.Training.Zero;

/// <summary>
/// Room for one gathered unit: flat weights and gradients, each [places × matrixShard | places × vectorShard], and leaf views of each
/// parameter whose <c>.grad</c> is preset to the view of the gradients. Raw writes do not bump autograd's version counters, so views
/// saved by a forward pass stay valid when the same weights are gathered again.
/// </summary>
internal sealed unsafe class Slot : IDisposable
{
    private readonly Tensor _weights;
    private readonly Tensor _gradients;
    private readonly List<Tensor> _views = [];
    private readonly List<Tensor> _gradientViews = [];
    private readonly long _length;

    public Slot(ShardedUnit unit, int places, ComputePrecision precision)
    {
        using var scope = NewDisposeScope();
        Precision = precision;
        MatrixLength = places * unit.MatrixShard;
        _length = places * unit.ShardLength;
        var type = precision == ComputePrecision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;
        _weights = zeros(_length, type).DetachFromDisposeScope();
        _gradients = zeros(_length, type).DetachFromDisposeScope();
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

    public int ElementBytes => Precision == ComputePrecision.Bf16 ? sizeof(ushort) : sizeof(float);

    /// <summary>Elements of the matrices' region; the vectors come behind it.</summary>
    public long MatrixLength { get; }

    /// <summary>Index of the unit that the slot holds, or will hold once <see cref="Gathering"/> is done; -1 after the weights have changed.</summary>
    public int Owner { get; set; } = -1;

    public CommunicationStream.Work? Gathering { get; set; }

    /// <summary>Reads the gradients; they must not change before it is done.</summary>
    public CommunicationStream.Work? Reducing { get; set; }

    public long Bytes => 2 * _length * ElementBytes;

    public IReadOnlyList<Tensor> Parameters => _views;

    public byte* Weights => (byte*)TensorMemory.Address(_weights);

    public byte* Gradients => (byte*)TensorMemory.Address(_gradients);

    public void ClearGradients() => System.Runtime.InteropServices.NativeMemory.Clear(Gradients, (nuint)(_length * ElementBytes));

    public void Dispose()
    {
        foreach (var tensor in (IEnumerable<Tensor>)[.. _views, .. _gradientViews, _weights, _gradients])
        {
            tensor.Dispose();
        }
    }
}
