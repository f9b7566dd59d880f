using System.Collections.Concurrent;
using System.Diagnostics;

namespace Phi.Docs.Tests;

/// <summary>What the real kubectl and helm say of their commands.</summary>
internal static class ProgramHelp
{
    private static readonly ConcurrentDictionary<string, string?> Known = new();

    /// <returns>Null: there is no such command.</returns>
    public static string? Of(string program, IReadOnlyList<string> command) => Known.GetOrAdd($"{program} {string.Join(' ', command)}", _ =>
    {
        using var process = Process.Start(new ProcessStartInfo(Find(program), command is ["options"] ? command : [.. command, "--help"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 && error.GetAwaiter().GetResult().Length == 0 ? output : null;
    });

    /// <summary>On the PATH, or where the test script puts it.</summary>
    public static string Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append(Path.Combine(Repository.Root, "artifacts", "tools"))
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
        ?? throw new InvalidOperationException($"{program} is neither on the PATH nor in artifacts/tools; ./phi test Docs puts it there");
}
