using Phi.Benchmarks.Benches.ControlPlane;

namespace Phi.Benchmarks.Benches.Telemetry;

/// <summary>The dashboard as it is shipped, over a folder's telemetry store.</summary>
internal sealed class DashboardProcess : IAsyncDisposable
{
    private const string Token = "bench";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly MeasuredProcess _process;

    private DashboardProcess(MeasuredProcess process, Uri root) => (_process, Root) = (process, root);

    public Uri Root { get; }

    /// <summary>Opened once, it signs a browser in.</summary>
    public Uri SignIn => new(Root, $"/?token={Token}");

    public double CpuSeconds => _process.CpuSeconds;

    /// <summary>Megabytes at most, and now.</summary>
    public (double Peak, double Now) Memory => _process.Memory;

    /// <exception cref="BenchException">It did not start.</exception>
    public static async Task<DashboardProcess> StartAsync(string kubeconfig, string database, string folder)
    {
        var address = Path.Combine(folder, "dashboard.url");
        var process = MeasuredProcess.Start(
            Executables.Required(Executables.Cli), ["dashboard", "--kubeconfig", kubeconfig, "--telemetry", database, "--token", Token, "--address-file", address, "--stop-with-parent"], _ => { });
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < Patience && !process.HasExited)
        {
            if (File.Exists(address))
            {
                return new DashboardProcess(process, new Uri(await File.ReadAllTextAsync(address)));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }

        var errors = process.Errors;
        await process.DisposeAsync();
        throw new BenchException($"the dashboard did not start: {errors}");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
