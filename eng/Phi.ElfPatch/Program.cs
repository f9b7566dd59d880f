using System.Runtime.InteropServices;
using Phi.ElfPatch;

// phi-elf-patch LIBRARY VERSION UNUSED-SYMBOL: marks the version need weak if this host's libstdc++ lacks it.
if (args is not [var library, var version, var symbol])
{
    Console.Error.WriteLine("usage: phi-elf-patch LIBRARY VERSION UNUSED-SYMBOL");
    return 2;
}

try
{
    Console.WriteLine($"{Path.GetFileName(library)}: {version} {WeakVersionPatch.Apply(library, version, symbol, HostLibrary("libstdc++.so.6"))}");
    return 0;
}
catch (Exception e) when (e is ElfException or IOException)
{
    Console.Error.WriteLine($"phi-elf-patch: {e.Message}");
    return 1;
}

// The file that the loader chooses: it is asked, not guessed.
static string HostLibrary(string name)
{
    var handle = NativeLibrary.Load(name);
    try
    {
        return File.ReadLines("/proc/self/maps").Select(line => line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length == 6).Select(parts => parts[5])
            .FirstOrDefault(path => Path.GetFileName(path).StartsWith("libstdc++", StringComparison.Ordinal), "");
    }
    finally
    {
        NativeLibrary.Free(handle);
    }
}
