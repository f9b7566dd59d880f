namespace Phi.ElfPatch;

/// <summary>One entry of <c>.gnu.version_r</c>. <paramref name="FlagsOffset"/>: file offset of its flags; <paramref name="Index"/>: the index that symbols refer to it by.</summary>
public sealed record VersionNeed(string Library, string Name, long FlagsOffset, ushort Flags, ushort Index)
{
    /// <summary>VER_FLG_WEAK: the loader does not fail when the library lacks the version.</summary>
    public const ushort Weak = 2;

    public bool IsWeak => (Flags & Weak) != 0;
}
