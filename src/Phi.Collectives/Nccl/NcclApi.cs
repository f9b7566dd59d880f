using System.Runtime.InteropServices;
using Phi.Collectives.Cuda;

namespace Phi.Collectives.Nccl;

/// <summary>
/// What is used of NCCL's C API (docs.nvidia.com/deeplearning/nccl, nccl.h), version 2.14 or newer. Every function returns an
/// ncclResult_t; a communicator whose configuration is not blocking may answer <see cref="InProgress"/>, and takes no other call
/// until <see cref="CommGetAsyncError"/> says <see cref="Success"/>.
/// </summary>
internal static partial class NcclApi
{
    /// <summary>2.14.0, the first with communicators that do not block.</summary>
    public const int OldestVersion = 21400;

    public const int Success = 0;
    public const int InvalidUsage = 5;
    public const int InProgress = 7;

    /// <summary>ncclDataType_t.</summary>
    public const int Byte = 0;

    /// <summary>ncclRedOp_t.</summary>
    public const int Sum = 0;

    static NcclApi() => NativeLibraries.Register();

    /// <summary>Such as "2.27.5".</summary>
    public static string VersionText(int version) => $"{version / 10000}.{version / 100 % 100}.{version % 100}";

    /// <summary>The library's words for a result, and for what happened last on a communicator (0: on any).</summary>
    public static string Describe(int result, nint communicator)
    {
        var text = Marshal.PtrToStringUTF8(GetErrorString(result));
        var last = Marshal.PtrToStringUTF8(GetLastError(communicator))?.Trim();
        return string.IsNullOrEmpty(last) ? $"{text} ({result})" : $"{text} ({result}): {last}";
    }

    /// <exception cref="CudaException">The result is neither success nor in progress.</exception>
    public static void ThrowIfFailed(int result, string call)
    {
        if (result is not (Success or InProgress))
        {
            throw new CudaException($"NCCL could not {call}: {Describe(result, 0)}; NCCL_DEBUG=INFO makes it say more");
        }
    }

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclGetVersion")]
    public static partial int GetVersion(out int version);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclGetUniqueId")]
    public static partial int GetUniqueId(out NcclUniqueId id);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclCommInitRankConfig")]
    public static partial int CommInitRankConfig(out nint communicator, int ranks, NcclUniqueId id, int rank, in NcclConfig config);

    /// <summary>Starts to end what was issued and to free what the communicator holds.</summary>
    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclCommFinalize")]
    public static partial int CommFinalize(nint communicator);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclCommDestroy")]
    public static partial int CommDestroy(nint communicator);

    /// <summary>Ends what runs on the device and frees the communicator; no other call of it may be under way.</summary>
    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclCommAbort")]
    public static partial int CommAbort(nint communicator);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclCommGetAsyncError")]
    public static partial int CommGetAsyncError(nint communicator, out int state);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclAllGather")]
    public static partial int AllGather(nint send, nint receive, nuint count, int type, nint communicator, nint stream);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclAllReduce")]
    public static partial int AllReduce(nint send, nint receive, nuint count, int type, int operation, nint communicator, nint stream);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclBroadcast")]
    public static partial int Broadcast(nint send, nint receive, nuint count, int type, int root, nint communicator, nint stream);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclSend")]
    public static partial int Send(nint send, nuint count, int type, int peer, nint communicator, nint stream);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclRecv")]
    public static partial int Receive(nint receive, nuint count, int type, int peer, nint communicator, nint stream);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclGroupStart")]
    public static partial int GroupStart();

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclGroupEnd")]
    public static partial int GroupEnd();

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclGetErrorString")]
    private static partial nint GetErrorString(int result);

    [LibraryImport(NativeLibraries.Nccl, EntryPoint = "ncclGetLastError")]
    private static partial nint GetLastError(nint communicator);
}
