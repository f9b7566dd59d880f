using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Phi.Cli.Cluster;

/// <summary>Keeps one child process running until it is disposed: restarted after a crash, with a growing delay; SIGTERM at the end.</summary>
public sealed partial class SupervisedProcess : IAsyncDisposable
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(10);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <param name="arguments">Asked for each start.</param>
    /// <param name="environment">Beside this process' own, for what others on the machine must not see.</param>
    public SupervisedProcess(Func<IReadOnlyList<string>> arguments, IReadOnlyDictionary<string, string> environment, string logFile, TimeProvider time) =>
        _loop = RunAsync(arguments, environment, logFile, time, _stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private static async Task RunAsync(Func<IReadOnlyList<string>> arguments, IReadOnlyDictionary<string, string> environment, string logFile, TimeProvider time, CancellationToken stop)
    {
        var delay = TimeSpan.FromMilliseconds(200);
        while (!stop.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            await RunOnceAsync(arguments(), environment, logFile, stop);
            delay = time.GetElapsedTime(started) > TimeSpan.FromSeconds(30) ? TimeSpan.FromMilliseconds(200) : delay * 2;
            if (delay > LongestDelay)
            {
                delay = LongestDelay;
            }

            await Task.Delay(delay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task RunOnceAsync(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string logFile, CancellationToken stop)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        await using var log = new StreamWriter(new FileStream(logFile, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        var gate = new Lock();
        var pumps = Task.WhenAll(PumpAsync(process.StandardOutput, log, gate), PumpAsync(process.StandardError, log, gate));
        try
        {
            await process.WaitForExitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            _ = Kill(process.Id, Sigterm);
            using var grace = new CancellationTokenSource(StopGrace);
            await process.WaitForExitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        await pumps;
    }

    private static async Task PumpAsync(StreamReader from, StreamWriter to, Lock gate)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (gate)
            {
                to.WriteLine(line);
            }
        }
    }

    private const int Sigterm = 15;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
