using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Phi.Benchmarks.Workers;

/// <summary>Starts every rank of a run as a process, and collects what they measured.</summary>
internal static class WorkerRun
{
    /// <param name="prefix">Command that a rank's process is started with, such as one that enters a network namespace; by node.</param>
    public static async Task<IReadOnlyList<WorkerResult>> RunAsync(IReadOnlyList<WorkerConfiguration> ranks, Func<int, IReadOnlyList<string>>? prefix = null)
    {
        var processes = new List<Process>();
        try
        {
            var lines = ranks.Select(rank => StartAsync(rank, prefix?.Invoke(rank.NodeRank) ?? [], processes)).ToList();
            return [.. (await Task.WhenAll(lines)).Select(line => JsonSerializer.Deserialize<WorkerResult>(line)!)];
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

    /// <summary>Ranks of one machine, so many to a node.</summary>
    public static IReadOnlyList<WorkerConfiguration> OnOneMachine(WorkerConfiguration configuration, int worldSize)
    {
        var port = FreePort();
        return [.. Enumerable.Range(0, worldSize).Select(rank => configuration with { Rank = rank, WorldSize = worldSize, MasterPort = port })];
    }

    private static async Task<string> StartAsync(WorkerConfiguration rank, IReadOnlyList<string> prefix, List<Process> processes)
    {
        string[] command = [.. prefix, Environment.ProcessPath!, "worker"];
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        processes.Add(process);
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(rank));
        await process.StandardInput.FlushAsync();
        var line = await process.StandardOutput.ReadLineAsync();
        await process.WaitForExitAsync();
        return line is not null && process.ExitCode == 0 ? line : throw new BenchException($"rank {rank.Rank} ended with exit code {process.ExitCode}: {(await errors).Trim()}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
