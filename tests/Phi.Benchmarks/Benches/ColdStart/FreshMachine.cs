using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Phi.Benchmarks.Benches.ColdStart;

/// <summary>A home folder with nothing in it, and the commands that a person types there.</summary>
internal sealed partial class FreshMachine(string home) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Seconds from the start of <c>phi run</c> until it tells of a step.</summary>
    /// <exception cref="BenchException">It told of none.</exception>
    public async Task<double> FirstStepAsync()
    {
        var sample = Path.Combine(Path.GetDirectoryName(Executables.Launcher)!, "operators", "samples", "phi-tiny.yaml");
        using var process = Start(Executables.Launcher, "run", sample);
        var began = Stopwatch.GetTimestamp();
        var rest = process.StandardOutput.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            while (await process.StandardError.ReadLineAsync(deadline.Token) is { } line)
            {
                if (FirstStep().IsMatch(line))
                {
                    return Stopwatch.GetElapsedTime(began).TotalSeconds;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        finally
        {
            // Only who watches ends: the control plane and the job are processes of their own.
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }

        throw new BenchException($"phi run told of no step within {Patience.TotalMinutes:0} minutes; its logs were in {home}. {await rest}");
    }

    /// <summary>Seconds that a call takes, the median of so many.</summary>
    public async Task<double> MedianAsync(int calls, string command, params string[] arguments)
    {
        // The first one brings the files into memory.
        await CallAsync(command, arguments);
        var seconds = new List<double>();
        for (var i = 0; i < calls; i++)
        {
            seconds.Add(await CallAsync(command, arguments));
        }

        return seconds.Order().ElementAt((calls - 1) / 2);
    }

    /// <exception cref="BenchException">It failed.</exception>
    public async Task<double> CallAsync(string command, params string[] arguments)
    {
        var began = Stopwatch.GetTimestamp();
        using var process = Start(command, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return process.ExitCode == 0
            ? took
            : throw new BenchException($"{command} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error} {await output}");
    }

    public async ValueTask DisposeAsync()
    {
        using var down = Start(Executables.Cli, "down");
        await Task.WhenAll(down.StandardOutput.ReadToEndAsync(), down.StandardError.ReadToEndAsync());
        await down.WaitForExitAsync();
    }

    private Process Start(string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PHI_HOME"] = home;
        start.Environment.Remove("KUBECONFIG");
        return Process.Start(start)!;
    }

    [GeneratedRegex(@"\bstep [1-9]")]
    private static partial Regex FirstStep();
}
