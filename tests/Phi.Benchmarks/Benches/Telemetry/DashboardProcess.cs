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
        const string name = "dashboard.url";
        var address = Path.Combine(folder, name);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watch = new FileSystemWatcher(folder, name);
        watch.Renamed += (_, _) => written.TrySetResult();
        watch.EnableRaisingEvents = true;
        var process = MeasuredProcess.Start(
            Executables.Required(Executables.Cli), ["dashboard", "--kubeconfig", kubeconfig, "--telemetry", database, "--token", Token, "--address-file", address, "--stop-with-parent"], _ => { });
        try
        {
            await Task.WhenAny(written.Task, process.Exited).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            // What it said tells more than that it took too long.
        }

        if (written.Task.IsCompleted)
        {
            return new DashboardProcess(process, new Uri(await File.ReadAllTextAsync(address)));
        }

        var errors = process.Errors;
        await process.DisposeAsync();
        throw new BenchException($"the dashboard did not start: {errors}");
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
