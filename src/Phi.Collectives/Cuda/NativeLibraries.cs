using System.Reflection;
using System.Runtime.InteropServices;

namespace Phi.Collectives.Cuda;

/// <summary>
/// Finds the GPU's libraries when they are first called: none is needed to build, or on machines without a GPU. An environment variable
/// (PHI_CUDA_LIBRARY, PHI_NVRTC_LIBRARY, PHI_NCCL_LIBRARY) names another file than the loader would find.
/// </summary>
internal static class NativeLibraries
{
    public const string Driver = "cuda";
    public const string Compiler = "nvrtc";
    public const string Nccl = "nccl";

    private static readonly Dictionary<string, string[]> Files = new()
    {
        [Driver] = ["libcuda.so.1"],
        [Compiler] = ["libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.so.11.2"],
        [Nccl] = ["libnccl.so.2"],
    };

    private static int _isRegistered;

    /// <summary>Called by the static constructor of each class that imports from these libraries.</summary>
    public static void Register()
    {
        if (Interlocked.Exchange(ref _isRegistered, 1) == 0)
        {
            NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (!Files.TryGetValue(name, out var candidates))
        {
            return 0;
        }

        var variable = $"PHI_{name.ToUpperInvariant()}_LIBRARY";
        candidates = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } chosen ? [chosen] : candidates;
        foreach (var file in candidates.Concat(Beside(name)))
        {
            if (NativeLibrary.TryLoad(file, out var handle))
            {
                return handle;
            }
        }

        throw new DllNotFoundException($"{string.Join(" or ", candidates)} cannot be loaded; install it on this node, or name its file in {variable}");
    }
    /// <summary>The driver comes with the node; libtorch's CUDA packages lay other libraries beside the program, under names such as <c>libnvrtc-2bb82d1a.so.12</c>.</summary>
    private static IEnumerable<string> Beside(string name) => name == Driver ? [] :
        Directory.EnumerateFiles(AppContext.BaseDirectory, $"lib{name}*.so*").Where(file => !file.Contains("builtins", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
