using System.Diagnostics;

namespace Phi.EndToEnd.Tests;

/// <summary>What a command printed and how it ended.</summary>
public sealed record CommandResult(string Command, int ExitCode, string Output, string Error)
{
    public override string ToString() => $"{Command} ended with {ExitCode}\nstdout: {Output}\nstderr: {Error}";

    public static async Task<CommandResult> RunAsync(string file, IReadOnlyList<string> arguments, string folder, string? input, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CommandResult($"{Path.GetFileName(file)} {string.Join(' ', arguments)}", process.ExitCode, await output, await error);
    }
}
