using System.Diagnostics;

namespace Phi.EndToEnd.Tests;

/// <summary>A part of phi beside a cluster, started again when it dies, as a cluster's controllers would; its output is in a file.</summary>
internal sealed class JoinedProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromMinutes(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _log;
    private readonly string[] _arguments;
    private readonly Task _running;

    public JoinedProcess(string log, params string[] arguments)
    {
        (_log, _arguments) = (log, [.. arguments, "--stop-with-parent"]);
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var process = Process.Start(new ProcessStartInfo(Tools.Phi, _arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            await using var log = new FileStream(_log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            var copies = Task.WhenAll(process.StandardOutput.BaseStream.CopyToAsync(log), process.StandardError.BaseStream.CopyToAsync(log));
            try
            {
                await process.WaitForExitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                // The end of its input asks it to stop, and stops it too if this process dies.
                process.StandardInput.Close();
                using var deadline = new CancellationTokenSource(StopDeadline);
                await process.WaitForExitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                process.Kill(entireProcessTree: true);
            }

            await copies;
        }
    }
}
