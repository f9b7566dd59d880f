using System.Runtime.InteropServices;

namespace Phi.StandIns;

/// <summary>What tests see of the stand-in for NVRTC; after <see cref="StandInLibraries.Use"/>.</summary>
public static unsafe class StandInCompiler
{
    private static nint _library;

    /// <summary>Compilations asked for so far.</summary>
    public static int Compilations => _library != 0
        ? ((delegate* unmanaged<int>)NativeLibrary.GetExport(_library, "standInNvrtcCompilations"))()
        : throw new InvalidOperationException("the stand-in libraries are not loaded; call StandInLibraries.Use() first");

    internal static void Load(string path) => _library = NativeLibrary.Load(path);
}
