using System.Globalization;

namespace Phi.Benchmarks.Benches.ControlPlane;

/// <param name="Requests">Of the API, so far.</param>
internal sealed record OperatorUse(long Requests, double Megabytes);

/// <summary>The operator as it is shipped, with execution simulated.</summary>
internal sealed class OperatorProcess : IAsyncDisposable
{
    private const string Requests = "phi_api_requests_total";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly MeasuredProcess _process;
    private readonly HttpClient _http;

    private OperatorProcess(MeasuredProcess process, HttpClient http) => (_process, _http) = (process, http);

    public double CpuSeconds => _process.CpuSeconds;

    public (double Peak, double Now) Memory => _process.Memory;

    public string Errors => _process.Errors;

    /// <exception cref="BenchException">It did not start.</exception>
    public static async Task<OperatorProcess> StartAsync(string kubeconfig, string folder)
    {
        var port = FreePort();
        var process = MeasuredProcess.Start(
            Executables.Required(Executables.Cli),
            [
                "operator", "--kubeconfig", kubeconfig, "--state", Path.Combine(folder, "operator"), "--telemetry", Path.Combine(folder, "telemetry.db"),
                "--simulate-execution", "--health-port", port.ToString(CultureInfo.InvariantCulture), "--stop-with-parent",
            ],
            _ => { });
        var phi = new OperatorProcess(process, new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") });
        try
        {
            await phi.ReadyAsync();
            return phi;
        }
        catch
        {
            await phi.DisposeAsync();
            throw;
        }
    }

    public async Task<OperatorUse> UseAsync()
    {
        var text = await _http.GetStringAsync("/metrics");
        var requests = text.Split('\n').Where(line => line.StartsWith(Requests, StringComparison.Ordinal)).Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
        return new OperatorUse((long)requests, _process.Memory.Now);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private async Task ReadyAsync()
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < Patience && !_process.HasExited)
        {
            try
            {
                if ((await _http.GetAsync("/readyz")).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }

        throw new BenchException($"the operator was not ready within {Patience.TotalSeconds} s:\n{_process.Errors}");
    }

    private static int FreePort()
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return ((System.Net.IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
