using System.Runtime.InteropServices;

namespace Phi.Collectives.Cuda;

/// <summary>What is used of NVRTC, CUDA's compiler at run time (docs.nvidia.com/cuda/nvrtc). Functions return an nvrtcResult, 0 for success.</summary>
internal static unsafe partial class Nvrtc
{
    public const int Success = 0;

    static Nvrtc() => NativeLibraries.Register();

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcVersion")]
    public static partial int Version(out int major, out int minor);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcGetErrorString")]
    public static partial nint GetErrorString(int error);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcCreateProgram", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateProgram(out nint program, string source, string name, int headerCount, nint headers, nint includeNames);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcDestroyProgram")]
    public static partial int DestroyProgram(ref nint program);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcCompileProgram", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CompileProgram(nint program, int optionCount, string[] options);

    /// <param name="size">With the final zero.</param>
    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcGetProgramLogSize")]
    public static partial int GetProgramLogSize(nint program, out nuint size);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcGetProgramLog")]
    public static partial int GetProgramLog(nint program, byte* log);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcGetCUBINSize")]
    public static partial int GetCubinSize(nint program, out nuint size);

    [LibraryImport(NativeLibraries.Compiler, EntryPoint = "nvrtcGetCUBIN")]
    public static partial int GetCubin(nint program, byte* image);
}
