using System.Diagnostics;
using System.Globalization;

namespace Phi.Benchmarks.Benches.ControlPlane;

/// <summary>A child process whose processor time and memory are read from /proc. It ends with this one: its standard input closes.</summary>
internal sealed class MeasuredProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Process _process;
    private readonly List<string> _errors = [];

    private MeasuredProcess(Process process) => _process = process;

    public bool HasExited => _process.HasExited;

    public Task Exited => _process.WaitForExitAsync();

    /// <summary>Its last words.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return string.Join('\n', _errors.TakeLast(20));
            }
        }
    }

    public double CpuSeconds
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>Megabytes that were resident at most (VmHWM), and are now (VmRSS).</summary>
    public (double Peak, double Now) Memory => (Status("VmHWM:"), Status("VmRSS:"));

    public static MeasuredProcess Start(string path, IReadOnlyList<string> arguments, Action<string> onLine)
    {
        var info = new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = new Process { StartInfo = info };
        var measured = new MeasuredProcess(process);
        process.OutputDataReceived += (_, line) => onLine(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => measured.Keep(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return measured;
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Keep(string? line)
    {
        lock (_errors)
        {
            _errors.Add(line ?? "");
            if (_errors.Count > 1000)
            {
                _errors.RemoveRange(0, 500);
            }
        }
    }

    private double Status(string name)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return double.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) / 1024;
    }
}
