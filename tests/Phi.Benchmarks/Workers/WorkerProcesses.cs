using System.Diagnostics;
using System.Text.Json;

namespace Phi.Benchmarks.Workers;

/// <summary>Starts every rank of a run as a process of this executable, hands each its configuration, and collects what they print.</summary>
internal static class WorkerProcesses
{
    /// <param name="command">Hidden command of this executable that a rank runs.</param>
    /// <param name="ranks">One configuration for each rank, written as JSON to its standard input.</param>
    /// <param name="prefix">Command that a rank's process is started with, such as one that enters a network namespace.</param>
    /// <exception cref="BenchException">A rank failed.</exception>
    public static async Task<IReadOnlyList<TResult>> RunAsync<TConfiguration, TResult>(string command, IReadOnlyList<TConfiguration> ranks, Func<TConfiguration, IReadOnlyList<string>> prefix)
    {
        var processes = new List<Process>();
        try
        {
            var lines = ranks.Select((rank, number) => StartAsync([.. prefix(rank), Environment.ProcessPath!, command], JsonSerializer.Serialize(rank), number, processes)).ToList();
            return [.. (await Task.WhenAll(lines)).Select(line => JsonSerializer.Deserialize<TResult>(line)!)];
        }
        finally
        {
            foreach (var process in processes)
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }

                process.Dispose();
            }
        }
    }

    private static async Task<string> StartAsync(IReadOnlyList<string> command, string configuration, int rank, List<Process> processes)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        processes.Add(process);
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteLineAsync(configuration);
        await process.StandardInput.FlushAsync();
        var line = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return line is not null && process.ExitCode == 0 ? line : throw new BenchException($"rank {rank} ended with exit code {process.ExitCode}: {(await errors).Trim()}");
    }
}
