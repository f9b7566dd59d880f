using System.Diagnostics;

namespace Phi.Chaos;

/// <summary>A part of the cluster as a process that can be killed, stopped, continued and started again. Its output goes to a log.</summary>
public sealed class Component(string name, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string log) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private readonly Lock _lock = new();
    private Process? _process;

    public string Name => name;

    public string Log => log;

    public int ProcessId => _process!.Id;

    public bool IsRunning => _process is { HasExited: false };

    public void Start()
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in environment)
        {
            info.Environment[key] = value;
        }

        _process?.Dispose();
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += (_, line) => Write(line.Data);
        _process.ErrorDataReceived += (_, line) => Write(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public async Task KillAsync()
    {
        Signals.Send(ProcessId, Signals.Kill);
        await _process!.WaitForExitAsync();
    }

    public void Stop() => Signals.Send(ProcessId, Signals.Stop);

    public void Continue() => Signals.Send(ProcessId, Signals.Continue);

    /// <summary>Ends it in order: its standard input closes.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is null)
        {
            return;
        }

        Continue();
        try
        {
            _process.StandardInput.Close();
            using var deadline = new CancellationTokenSource(Patience);
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private void Write(string? line)
    {
        if (line is not null)
        {
            lock (_lock)
            {
                File.AppendAllText(log, $"{DateTimeOffset.UtcNow:HH:mm:ss.fff} {line}\n");
            }
        }
    }
}
