using System.Diagnostics;
using System.Text.Json;

namespace Phi.Benchmarks.Gpu;

/// <summary>The other side of a comparison: a script that lies in this program, run by the host's python3 with PyTorch and transformers.</summary>
internal static class PythonScript
{
    /// <summary>The JSON object of the script's last line.</summary>
    /// <exception cref="BenchException">Python, a package or the script failed.</exception>
    public static async Task<JsonElement> RunAsync(string name, IReadOnlyList<string> arguments)
    {
        using var resource = typeof(PythonScript).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(resource);
        var start = new ProcessStartInfo("python3", ["-", .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Start(start);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(await reader.ReadToEndAsync());
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? JsonDocument.Parse((await output).Trim().Split('\n')[^1]).RootElement
            : throw new BenchException($"{name} needs python3 with torch and transformers, and ended with exit code {process.ExitCode}: {(await errors).Trim()}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new BenchException($"the comparison needs python3 with torch and transformers: {e.Message}");
        }
    }
}
