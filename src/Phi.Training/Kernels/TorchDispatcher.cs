using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Phi.Training.Kernels;

/// <summary>
/// Operators that TorchSharp lacks, through PyTorch's stable C ABI (torch/csrc/inductor/aoti_torch/c/shim.h), which libtorch exports on the
/// CPU and with CUDA alike. A TorchSharp handle is a handle there; autograd takes part.
/// </summary>
internal static unsafe partial class TorchDispatcher
{
    private const string Library = "torch_cpu";
    private const int EmbeddingValues = 5;

    /// <summary>
    /// Rows of weights [V, D] at tokens [N] (int64): [N, D]. Its backward pass on a GPU sorts the tokens and adds in fp32, where that of an
    /// index adds in 16 bits in any order: a token that occurs a thousand times would lose most of its gradient.
    /// </summary>
    public static Tensor Embedding(Tensor weights, Tensor tokens)
    {
        // The call takes the arguments' handles, and leaves the result's in their place.
        var stack = stackalloc ulong[EmbeddingValues] { Share(weights), Share(tokens), unchecked((ulong)-1L), 0, 0 };
        ThrowIfFailed(Call("aten::embedding", "", stack));
        return Tensor.UnsafeCreateTensor((nint)stack[0]);
    }

    private static ulong Share(Tensor tensor)
    {
        ThrowIfFailed(NewHandle(tensor.Handle, out var handle));
        GC.KeepAlive(tensor);
        return (ulong)handle;
    }

    private static void ThrowIfFailed(int result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"libtorch refused an operator ({result}); it said why on standard error");
        }
    }

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    private static partial int NewHandle(nint tensor, out nint handle);

    [LibraryImport(Library, EntryPoint = "aoti_torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Call(string name, string overload, ulong* stack);
}
