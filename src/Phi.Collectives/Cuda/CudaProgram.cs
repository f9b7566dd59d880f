using System.Security.Cryptography;
using System.Text;

namespace Phi.Collectives.Cuda;

/// <summary>CUDA C to be compiled for one architecture. Arithmetic is IEEE's throughout, as the processor's: no contraction, no flushed denormals.</summary>
/// <param name="Name">In the compiler's messages, such as "quantize.cu".</param>
/// <param name="Defines">NAME=VALUE.</param>
/// <param name="Architecture">Real, such as "sm_90".</param>
internal sealed record CudaProgram(string Name, string Source, IReadOnlyList<string> Defines, string Architecture)
{
    private static readonly string[] Ieee = ["--std=c++17", "--fmad=false", "--prec-div=true", "--prec-sqrt=true", "--ftz=false"];

    private string[] Options => [$"--gpu-architecture={Architecture}", .. Ieee, .. Defines.Select(define => $"-D{define}")];

    /// <summary>The same for the same image: of the source, the options and the compiler's version.</summary>
    public string Digest()
    {
        ThrowIfFailed(Nvrtc.Version(out var major, out var minor), "its version");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"nvrtc {major}.{minor}\n{string.Join('\n', Options)}\n{Source}")));
    }

    /// <returns>An image for the architecture (CUBIN).</returns>
    /// <exception cref="CudaException">The compiler refused the source; its log is in the message.</exception>
    public unsafe byte[] Compile()
    {
        ThrowIfFailed(Nvrtc.CreateProgram(out var program, Source, Name, 0, 0, 0), Name);
        try
        {
            var options = Options;
            var result = Nvrtc.CompileProgram(program, options.Length, options);
            if (result != Nvrtc.Success)
            {
                throw new CudaException($"NVRTC could not compile {Name} for {Architecture}: {ErrorText(result)}\n{Log(program)}");
            }

            ThrowIfFailed(Nvrtc.GetCubinSize(program, out var size), Name);
            var image = new byte[size];
            fixed (byte* to = image)
            {
                ThrowIfFailed(Nvrtc.GetCubin(program, to), Name);
            }

            return image;
        }
        finally
        {
            _ = Nvrtc.DestroyProgram(ref program);
        }
    }

    private static unsafe string Log(nint program)
    {
        if (Nvrtc.GetProgramLogSize(program, out var size) != Nvrtc.Success || size <= 1)
        {
            return "(no log)";
        }

        var log = new byte[size];
        fixed (byte* to = log)
        {
            return Nvrtc.GetProgramLog(program, to) == Nvrtc.Success ? Encoding.UTF8.GetString(log, 0, log.Length - 1) : "(no log)";
        }
    }

    private static void ThrowIfFailed(int result, string what)
    {
        if (result != Nvrtc.Success)
        {
            throw new CudaException($"NVRTC could not give {what}: {ErrorText(result)}");
        }
    }

    private static string ErrorText(int result) => $"{System.Runtime.InteropServices.Marshal.PtrToStringUTF8(Nvrtc.GetErrorString(result)) ?? "unknown"} ({result})";
}
