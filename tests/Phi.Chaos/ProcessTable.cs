using System.Globalization;
using System.Text;

namespace Phi.Chaos;

/// <summary>A live process of this machine, as /proc has it.</summary>
public sealed record MachineProcess(int Id, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment);

/// <summary>Every live process. One that ends while it is looked at is left out.</summary>
public static class ProcessTable
{
    public static IEnumerable<MachineProcess> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) && Read(folder, "cmdline") is { Length: > 0 } arguments)
            {
                yield return new MachineProcess(id, arguments, Read(folder, "environ"));
            }
        }
    }

    private static string[] Read(string folder, string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, file))).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
