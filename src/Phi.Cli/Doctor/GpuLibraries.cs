using System.Globalization;
using System.Runtime.InteropServices;

namespace Phi.Cli.Doctor;

/// <summary>What of NVIDIA's software this machine has; its nodes may have other versions.</summary>
internal static class GpuLibraries
{
    private const string DriverFile = "/proc/driver/nvidia/version";
    private const string Nccl = "libnccl.so.2";

    public static IEnumerable<CheckResult> Run() => [Driver(), Library()];

    private static CheckResult Driver() => File.Exists(DriverFile)
        ? CheckResult.Ok("GPU driver here", File.ReadLines(DriverFile).First().Trim())
        : CheckResult.Skip("GPU driver here", "this machine has no NVIDIA driver loaded");

    private static CheckResult Library()
    {
        if (!NativeLibrary.TryLoad(Nccl, out var library))
        {
            return CheckResult.Skip("NCCL", $"this machine has no {Nccl}; the one that jobs use is in the trainer's image, and their log names its version: NCCL_DEBUG=VERSION in spec.template.env, then phi logs JOB");
        }

        try
        {
            return NativeLibrary.TryGetExport(library, "ncclGetVersion", out var function) && Version(function) is { } version
                ? CheckResult.Ok("NCCL", $"{version} on this machine; jobs on other nodes use their image's")
                : CheckResult.Warn("NCCL", $"{Nccl} does not tell its version", "install it anew");
        }
        finally
        {
            NativeLibrary.Free(library);
        }
    }

    /// <summary>As NCCL encodes it: 22005 is 2.20.5.</summary>
    private static unsafe string? Version(nint function)
    {
        int code;
        return ((delegate* unmanaged<int*, int>)function)(&code) == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{code / 10000}.{code / 100 % 100}.{code % 100}")
            : null;
    }
}
