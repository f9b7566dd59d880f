using Phi.Benchmarks.Workers;

namespace Phi.Benchmarks.Benches.ControlPlane;

/// <summary>The embedded API server in a process of its own, as the real one would be.</summary>
internal sealed class ApiServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly MeasuredProcess _process;

    private ApiServerProcess(MeasuredProcess process, string kubeconfig) => (_process, Kubeconfig) = (process, kubeconfig);

    public string Kubeconfig { get; }

    /// <exception cref="BenchException">It did not start.</exception>
    public static async Task<ApiServerProcess> StartAsync(string folder)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = MeasuredProcess.Start(Environment.ProcessPath!, ["api-server", folder], line =>
        {
            if (line == ApiServerWorker.Ready)
            {
                ready.TrySetResult();
            }
        });
        if (await Task.WhenAny(ready.Task, Task.Delay(Patience)) != ready.Task)
        {
            await process.DisposeAsync();
            throw new BenchException($"the embedded API server did not start: {process.Errors}");
        }

        return new ApiServerProcess(process, ApiServerWorker.Kubeconfig(folder));
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
