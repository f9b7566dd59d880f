using TorchSharp;
using static TorchSharp.torch;

namespace Phi.Training.Kernels;

/// <summary>
/// Sums of tensors. TorchSharp's operator makes a native factor for each call, which its finalizer can free while the call reads it; this
/// one factor is never freed.
/// </summary>
internal static class TensorSum
{
    private static readonly Scalar One = 1;

    extension(Tensor x)
    {
        public Tensor Plus(Tensor y) => x.add(y, One);

        public void AddInPlace(Tensor y) => x.add_(y, One);
    }
}
