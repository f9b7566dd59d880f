using System.Runtime.InteropServices;

namespace Phi.Collectives.Nccl;

/// <summary>
/// ncclConfig_t as version 2.14 laid it out. A newer library reads as many bytes as <see cref="_size"/> says, and takes its defaults for
/// what came after <see cref="_version"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct NcclConfig
{
    private const uint Magic = 0xcafebeef;

    private readonly nuint _size;
    private readonly uint _magic;
    private readonly uint _version;
    private readonly int _blocking;

    /// <param name="isBlocking">False: calls return at once, so that an abort is safe at any time.</param>
    public unsafe NcclConfig(bool isBlocking)
    {
        _size = (nuint)sizeof(NcclConfig);
        _magic = Magic;
        _version = NcclApi.OldestVersion;
        _blocking = isBlocking ? 1 : 0;
    }
}
