using System.Globalization;
using Phi.Api.TrainingJobs;
using Spectre.Console;

namespace Phi.Cli.Output;

/// <summary>Shows a job's progress on standard error: one line rewritten in place on a terminal, plain lines elsewhere.</summary>
public sealed class ProgressDisplay(TimeProvider time)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(5);
    private readonly bool _live = !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
    private string _last = "";
    private string _lastState = "";
    private long _lastShown;
    private int _width;

    public void Show(TrainingJob job)
    {
        var line = Line(job, time.GetUtcNow());
        if (line == _last)
        {
            return;
        }

        // The first step of an attempt is news, too.
        var state = $"{job.Status?.Phase}/{job.Status?.Attempt}/{job.Status?.Progress?.Step is > 0}";
        if (_live)
        {
            var width = Math.Max(20, AnsiConsole.Profile.Width - 1);
            var text = line.Length > width ? line[..width] : line;
            Console.Error.Write('\r' + text.PadRight(_width));
            _width = text.Length;
        }
        else if (state != _lastState || time.GetElapsedTime(_lastShown) >= PlainInterval)
        {
            Console.Error.WriteLine(line);
            _lastShown = time.GetTimestamp();
        }

        _last = line;
        _lastState = state;
    }

    /// <summary>Leaves the last line standing.</summary>
    public void End()
    {
        if (_live && _width > 0)
        {
            Console.Error.WriteLine();
            _width = 0;
        }
    }

    internal static string Line(TrainingJob job, DateTimeOffset now)
    {
        var status = job.Status;
        var progress = status?.Progress;
        var parts = new List<string> { status?.Phase ?? TrainingPhase.Pending };
        if (progress?.Step is { } step)
        {
            parts.Add(progress.TotalSteps is { } total ? Format($"step {step}/{total}") : Format($"step {step}"));
        }

        if (progress?.Loss is { } loss)
        {
            parts.Add(Format($"loss {loss:0.0000}"));
        }

        if (progress?.TokensPerSecond is { } rate)
        {
            parts.Add(Format($"{rate:0} tokens/s"));
        }

        if (progress?.EstimatedCompletion is { } end && end > now && status?.Phase == TrainingPhase.Running)
        {
            parts.Add($"ETA {(end - now).ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture)}");
        }

        if (status?.Attempt is > 0 and var attempt)
        {
            parts.Add(Format($"attempt {attempt}"));
        }

        if (status?.Phase != TrainingPhase.Running && Reason(status) is { Length: > 0 } reason)
        {
            parts.Add(reason);
        }

        return string.Join("  ", parts);
    }

    private static string Reason(TrainingJobStatus? status) =>
        status?.Conditions?.Where(c => c.Message.Length > 0).MaxBy(c => c.LastTransitionTime)?.Message ?? "";

    private static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
