using System.Diagnostics;

namespace Phi.Chart.Tests;

/// <summary>A part of phi that runs beside the test; what it says is kept.</summary>
internal sealed class PhiProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopDeadline = TimeSpan.FromMinutes(1);
    private readonly Process _process;
    private readonly List<string> _said = [];
    private readonly Lock _lock = new();
    private readonly Task _reading;

    public PhiProcess(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(CliFolder, "phi"), [.. arguments, "--stop-with-parent"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{CliFolder}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["PHI_TRAINER_PATH"] = Path.Combine(Repository.Root, "artifacts/bin/Phi.Trainer/release");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("no process");
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    public static string CliFolder { get; } = Path.Combine(Repository.Root, "artifacts/bin/Phi.Cli/release");

    public bool HasEnded => _process.HasExited;

    public string Said
    {
        get
        {
            lock (_lock)
            {
                return string.Join('\n', _said);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The end of its input asks it to stop.
        _process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(StopDeadline);
        await _process.WaitForExitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process.Kill(entireProcessTree: true);
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lock)
            {
                _said.Add(line);
            }
        }
    }
}
