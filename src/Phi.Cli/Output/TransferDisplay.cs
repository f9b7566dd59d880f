using System.Globalization;
using Phi.Checkpoints.HuggingFace;
using Spectre.Console;

namespace Phi.Cli.Output;

/// <summary>Shows on standard error how far work on many bytes is: a bar on a terminal, a plain line now and then elsewhere, nothing where a program reads.</summary>
internal static class TransferDisplay
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);

    /// <param name="what">Such as "copied".</param>
    public static async Task<T> RunAsync<T>(string what, bool isQuiet, TimeProvider time, Func<IProgress<TransferProgress>, T> work)
    {
        if (isQuiet || Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is null or "dumb")
        {
            return await Task.Run(() => work(isQuiet ? new Silence() : new Lines(what, time)));
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return await console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(what));
                return await Task.Run(() => work(new Bar(bar)));
            });
    }

    private sealed class Silence : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value)
        {
            // Nobody looks.
        }
    }

    private sealed class Bar(ProgressTask task) : IProgress<TransferProgress>
    {
        public void Report(TransferProgress value)
        {
            task.MaxValue = Math.Max(1, value.TotalBytes);
            task.Value = value.Bytes;
        }
    }

    private sealed class Lines(string what, TimeProvider time) : IProgress<TransferProgress>
    {
        private long? _lastShown;

        public void Report(TransferProgress value)
        {
            if (value.Bytes < value.TotalBytes && _lastShown is { } last && time.GetElapsedTime(last) < PlainInterval)
            {
                return;
            }

            _lastShown = time.GetTimestamp();
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value.Bytes / 1e6:N1} of {value.TotalBytes / 1e6:N1} MB {what} ({value.Bytes * 100 / Math.Max(1, value.TotalBytes)} %)"));
        }
    }
}
