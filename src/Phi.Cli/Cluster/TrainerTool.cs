using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Phi.Cli.Cluster;

/// <summary>Where the training executable lies: <c>PHI_TRAINER_PATH</c>, else beside the command line, else in the build's output.</summary>
public static partial class TrainerTool
{
    private const string Name = "phi-trainer";
    private const int Sigterm = 15;

    public static string Folder()
    {
        var here = AppContext.BaseDirectory;
        string?[] candidates =
        [
            Environment.GetEnvironmentVariable("PHI_TRAINER_PATH"),
            here,
            Path.GetFullPath(Path.Combine(here, "../../Phi.Trainer/release")),
        ];
        return candidates.FirstOrDefault(folder => folder is not null && File.Exists(Path.Combine(folder, Name)))
            ?? throw new CliException($"{Name} is neither in PHI_TRAINER_PATH nor beside {here}. Build it with ./phi, or set PHI_TRAINER_PATH to its folder.", ExitCodes.Usage);
    }

    public static string Executable() => Path.Combine(Folder(), Name);

    /// <summary>Runs it with this process's input and output, and returns its exit code. Cancelling asks it to end.</summary>
    /// <param name="isQuiet">What it prints is of no use to whoever reads this process's output: it goes to standard error.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken, bool isQuiet = false)
    {
        using var process = Process.Start(new ProcessStartInfo(Executable(), arguments) { RedirectStandardOutput = isQuiet })!;
        // A terminal's Ctrl-C reaches the child too; another kind of signal is not taken for a second Ctrl-C, which would kill it.
        using var forward = cancellationToken.Register(() => _ = Kill(process.Id, Sigterm));
        if (isQuiet)
        {
            await using var error = Console.OpenStandardError();
            await process.StandardOutput.BaseStream.CopyToAsync(error, CancellationToken.None);
        }

        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
