using Phi.Training.Kernels;
using Phi.Training.Model;
using static TorchSharp.torch;

namespace Phi.Training.Zero;

/// <summary>
/// Room for one gathered unit: flat weights and gradients, [paddedLength] fp32, and leaf views of each parameter whose
/// <c>.grad</c> is preset to the view of the gradients. Raw writes do not bump autograd's version counters, so views saved by a
/// forward pass stay valid when the same weights are gathered again.
/// </summary>
internal sealed class Slot : IDisposable
{
    private readonly Tensor _weights;
    private readonly Tensor _gradients;
    private readonly List<Tensor> _views = [];
    private readonly List<Tensor> _gradientViews = [];
    private readonly long _paddedLength;

    public Slot(UnitLayout layout, long paddedLength)
    {
        using var scope = NewDisposeScope();
        _paddedLength = paddedLength;
        _weights = zeros(paddedLength, ScalarType.Float32).DetachFromDisposeScope();
        _gradients = zeros(paddedLength, ScalarType.Float32).DetachFromDisposeScope();
        foreach (var tensor in layout.Tensors)
        {
            var view = _weights.narrow(0, tensor.Offset, tensor.Length).view(tensor.Shape).detach().requires_grad_().DetachFromDisposeScope();
            var gradient = _gradients.narrow(0, tensor.Offset, tensor.Length).view(tensor.Shape).DetachFromDisposeScope();
            view.grad = gradient;
            _views.Add(view);
            _gradientViews.Add(gradient);
        }
    }

    /// <summary>Index of the unit that the slot holds; -1 after the weights have changed.</summary>
    public int Owner { get; set; } = -1;

    public IReadOnlyList<Tensor> Parameters => _views;

    public nint WeightsAddress => TensorMemory.Address(_weights);

    public nint GradientsAddress => TensorMemory.Address(_gradients);

    public unsafe void ClearGradients() =>
        System.Runtime.InteropServices.NativeMemory.Clear((void*)GradientsAddress, (nuint)(_paddedLength * sizeof(float)));

    public void Dispose()
    {
        foreach (var tensor in (IEnumerable<Tensor>)[.. _views, .. _gradientViews, _weights, _gradients])
        {
            tensor.Dispose();
        }
    }
}
