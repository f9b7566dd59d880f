using System.Buffers.Binary;
using System.Text;

namespace Phi.ElfPatch;

/// <summary>What the patch did.</summary>
public enum PatchOutcome
{
    /// <summary>The host offers the version, or the file does not need it.</summary>
    NotNeeded,
    AlreadyWeak,
    Patched,
}

/// <summary>
/// Marks one version need weak, so that a library loads where the host lacks a version from which it uses nothing.
/// TorchSharp 0.107's native library asks for GLIBCXX_3.4.32 because of one import that no relocation refers to; Debian 12 ends at 3.4.30.
/// </summary>
public static class WeakVersionPatch
{
    /// <param name="path">The library; a patched file replaces it, so that a hard link elsewhere keeps its bytes.</param>
    /// <param name="version">Name of the version, such as GLIBCXX_3.4.32.</param>
    /// <param name="unusedSymbol">The only symbol that may ask for the version.</param>
    /// <param name="hostLibrary">The host's library that would offer it.</param>
    /// <exception cref="ElfException">The entry is not what it should be: another symbol asks for it, or a relocation needs it.</exception>
    public static PatchOutcome Apply(string path, string version, string unusedSymbol, string hostLibrary)
    {
        var bytes = File.ReadAllBytes(path);
        var elf = new ElfFile(bytes);
        var needs = elf.Needs().Where(need => need.Name == version).ToList();
        if (needs.Count == 0 || Offers(hostLibrary, version))
        {
            return PatchOutcome.NotNeeded;
        }

        if (needs is not [var need])
        {
            throw new ElfException($"{path} needs {version} of {needs.Count} libraries; one was expected");
        }

        if (need.IsWeak)
        {
            return PatchOutcome.AlreadyWeak;
        }

        if (elf.SymbolsOf(need.Index) is not [var symbol] || symbol != unusedSymbol)
        {
            throw new ElfException($"{path}: {version} is asked for by [{string.Join(", ", elf.SymbolsOf(need.Index))}]; only {unusedSymbol} was expected. Use a TorchSharp version that this step knows, or a host whose libstdc++ has {version}.");
        }

        if (elf.RelocatedSymbolsOf(need.Index) is { Count: > 0 } used)
        {
            throw new ElfException($"{path}: a relocation needs [{string.Join(", ", used)}] of {version}; the library cannot work without it. Use a host whose libstdc++ has {version}.");
        }

        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan((int)need.FlagsOffset), (ushort)(need.Flags | VersionNeed.Weak));
        Replace(path, bytes);
        return PatchOutcome.Patched;
    }

    private static bool Offers(string library, string version) =>
        File.Exists(library) && File.ReadAllBytes(library).AsSpan().IndexOf(Encoding.ASCII.GetBytes(version + "\0")) >= 0;

    private static void Replace(string path, byte[] bytes)
    {
        var temporary = path + ".patched";
        File.WriteAllBytes(temporary, bytes);
        File.SetUnixFileMode(temporary, File.GetUnixFileMode(path) | UnixFileMode.UserWrite);
        File.Move(temporary, path, overwrite: true);
    }
}
