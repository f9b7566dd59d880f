using System.Runtime.InteropServices;

namespace Phi.Collectives.Cuda;

/// <summary>What is used of the CUDA driver API (docs.nvidia.com/cuda/cuda-driver-api). Every function returns a CUresult, 0 for success.</summary>
internal static unsafe partial class CudaDriver
{
    public const int Success = 0;
    public const int NotReady = 600;
    public const uint StreamNonBlocking = 1;
    public const uint EventDisableTiming = 2;

    static CudaDriver() => NativeLibraries.Register();

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuInit")]
    public static partial int Init(uint flags);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuGetErrorName")]
    public static partial int GetErrorName(int error, out nint name);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuGetErrorString")]
    public static partial int GetErrorString(int error, out nint text);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuDeviceGetCount")]
    public static partial int DeviceGetCount(out int count);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuDeviceGet")]
    public static partial int DeviceGet(out int device, int ordinal);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuDeviceGetName")]
    public static partial int DeviceGetName(byte* name, int length, int device);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuDeviceGetAttribute")]
    public static partial int DeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuDevicePrimaryCtxRetain")]
    public static partial int DevicePrimaryCtxRetain(out nint context, int device);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    public static partial int DevicePrimaryCtxRelease(int device);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuCtxSetCurrent")]
    public static partial int CtxSetCurrent(nint context);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemAlloc_v2")]
    public static partial int MemAlloc(out nint memory, nuint bytes);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemFree_v2")]
    public static partial int MemFree(nint memory);

    /// <summary>Page-locked host memory.</summary>
    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemHostAlloc")]
    public static partial int MemHostAlloc(out nint memory, nuint bytes, uint flags);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemFreeHost")]
    public static partial int MemFreeHost(nint memory);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static partial int MemcpyHostToDevice(nint to, nint from, nuint bytes, nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static partial int MemcpyDeviceToHost(nint to, nint from, nuint bytes, nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static partial int MemcpyDeviceToDevice(nint to, nint from, nuint bytes, nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuMemsetD8Async")]
    public static partial int MemsetByte(nint to, byte value, nuint bytes, nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuStreamCreate")]
    public static partial int StreamCreate(out nint stream, uint flags);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuStreamDestroy_v2")]
    public static partial int StreamDestroy(nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuStreamSynchronize")]
    public static partial int StreamSynchronize(nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuStreamWaitEvent")]
    public static partial int StreamWaitEvent(nint stream, nint signal, uint flags);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuEventCreate")]
    public static partial int EventCreate(out nint signal, uint flags);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuEventDestroy_v2")]
    public static partial int EventDestroy(nint signal);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuEventRecord")]
    public static partial int EventRecord(nint signal, nint stream);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuEventQuery")]
    public static partial int EventQuery(nint signal);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuEventElapsedTime")]
    public static partial int EventElapsedTime(out float milliseconds, nint start, nint end);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuModuleLoadData")]
    public static partial int ModuleLoadData(out nint module, byte* image);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuModuleUnload")]
    public static partial int ModuleUnload(nint module);

    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ModuleGetFunction(out nint function, nint module, string name);

    /// <param name="arguments">An array of pointers to the values of the kernel's parameters, in order.</param>
    [LibraryImport(NativeLibraries.Driver, EntryPoint = "cuLaunchKernel")]
    public static partial int LaunchKernel(nint function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, uint sharedBytes, nint stream, void** arguments, void** extra);
}
