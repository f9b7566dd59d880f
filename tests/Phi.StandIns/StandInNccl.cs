using System.Runtime.InteropServices;
using System.Text;

namespace Phi.StandIns;

/// <summary>What tests see and set of the stand-in for NCCL; after <see cref="StandInLibraries.Use"/>.</summary>
public static unsafe class StandInNccl
{
    /// <summary>ncclRemoteError: a peer's end of the connection is gone.</summary>
    public const int RemoteError = 6;

    private const int LargestText = 1 << 20;
    private static nint _library;

    /// <summary>The calls made on a device since this was last asked, a line each.</summary>
    public static string TakeTrace(int device) => Take((buffer, size) => ((delegate* unmanaged<int, byte*, int, int>)Export("standInNcclTrace"))(device, (byte*)buffer, size));

    /// <summary>What was called against NCCL's rules since this was last asked, a line each.</summary>
    public static string TakeViolations() => Take((buffer, size) => ((delegate* unmanaged<byte*, int, int>)Export("standInNcclViolations"))((byte*)buffer, size));

    /// <summary>The communicators of a device tell this error from now on.</summary>
    public static void Fail(int device, int result) => ((delegate* unmanaged<int, int, int>)Export("standInNcclFail"))(device, result);

    internal static void Load(string path) => _library = NativeLibrary.Load(path);

    private static string Take(Func<nint, int, int> call)
    {
        var bytes = new byte[LargestText];
        fixed (byte* buffer = bytes)
        {
            return Encoding.UTF8.GetString(bytes, 0, call((nint)buffer, LargestText));
        }
    }

    private static nint Export(string name) =>
        _library != 0 ? NativeLibrary.GetExport(_library, name) : throw new InvalidOperationException("the stand-in libraries are not loaded; call StandInLibraries.Use() first");
}
