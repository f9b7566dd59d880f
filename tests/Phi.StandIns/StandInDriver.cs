using System.Runtime.InteropServices;

namespace Phi.StandIns;

/// <summary>What tests see and set of the stand-in for the CUDA driver; after <see cref="StandInLibraries.Use"/>.</summary>
public static unsafe class StandInDriver
{
    private static nint _library;

    /// <summary>Device allocations not yet freed, of the whole process.</summary>
    public static int LiveAllocations => Call("standInCudaLiveAllocations");

    /// <summary>Page-locked host allocations not yet freed.</summary>
    public static int LiveHostAllocations => Call("standInCudaLiveHostAllocations");

    /// <summary>Kernels launched so far.</summary>
    public static int Launches => Call("standInCudaLaunches");

    /// <summary>A pause before each piece of work of every stream but the default one, which makes a missing wait show; 0 at first.</summary>
    public static void SetDelay(TimeSpan delay) => Call("standInCudaSetDelay", (int)delay.TotalMicroseconds);

    /// <summary>8 at first.</summary>
    public static void SetDevices(int count) => Call("standInCudaSetDevices", count);

    /// <summary>Work behind this place of a stream (not of the default one) waits until the gate is disposed.</summary>
    public static IDisposable Hold(nint stream)
    {
        nint gate = 0;
        var result = ((delegate* unmanaged<nint, nint*, int>)Export("standInCudaHold"))(stream, &gate);
        return result == 0 ? new Gate(gate) : throw new InvalidOperationException($"the stand-in cannot hold a stream: {result}");
    }

    internal static void Load(string path) => _library = NativeLibrary.Load(path);

    private static int Call(string name) => ((delegate* unmanaged<int>)Export(name))();

    private static void Call(string name, int argument) => ((delegate* unmanaged<int, int>)Export(name))(argument);

    private static nint Export(string name) =>
        _library != 0 ? NativeLibrary.GetExport(_library, name) : throw new InvalidOperationException("the stand-in libraries are not loaded; call StandInLibraries.Use() first");

    private sealed class Gate(nint handle) : IDisposable
    {
        public void Dispose() => ((delegate* unmanaged<nint, int>)Export("standInCudaOpen"))(handle);
    }
}
