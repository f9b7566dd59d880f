using Phi.Api.Agent;

namespace Phi.Trainer.Progress;

/// <summary>Turns the new lines of a progress file into events, and counts them as delivered once they are.</summary>
/// <param name="report">Brings a batch to the operator; comes back when it is stored, or refused for good.</param>
internal sealed class ProgressTail(string path, ProgressSource source, Func<EventBatch, Task> report, TimeProvider time, Action<string> log) : IDisposable
{
    private const int MostBytes = 64 << 10;
    private const string TooLong = "a report has at most 65536 bytes; write numbers alone, one line a step.";
    private readonly ProgressFile _file = new(path);
    private readonly SkippedLines _skipped = new(time, log);
    private DateTimeOffset? _looked;
    private string? _said;

    /// <summary>The sidecar's startup probe looks for the position: from now on nothing is lost that the program writes.</summary>
    public void Announce() => Keep(_file.Announce);

    /// <summary>Delivers what is new; false if there was nothing.</summary>
    /// <param name="isOver">The program has ended.</param>
    public async Task<bool> LookAsync(bool isOver)
    {
        _skipped.Look();
        var now = time.GetUtcNow();
        IReadOnlyList<FileLine> lines;
        try
        {
            lines = _file.Read(isOver);
            _said = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Say($"the progress file cannot be read: {e.Message} Let everybody read what the program writes (umask 022).");
            return false;
        }

        if (lines.Count == 0)
        {
            _looked = now;
            return false;
        }

        var read = Parse(lines);
        var (step, last) = (_file.Position.Step, _file.Position.Time);
        var (steps, checkpoints) = (new List<StepEvent>(), new List<CheckpointEvent>());
        foreach (var (index, progress) in read.Index())
        {
            // When a line was written is not known: between two looks, and one after the other.
            var since = _looked ?? last ?? now;
            var when = since + (now - since) * (index + 1.0) / read.Count;
            var numbers = progress.Numbers();
            numbers.TryAdd("step_seconds", progress.Step > step && last is { } before ? Math.Max(0, (when - before).TotalSeconds) / (progress.Step - step.Value) : 0);
            steps.Add(new StepEvent { Rank = source.Replica, Step = progress.Step, Time = when, Metrics = numbers });
            if (progress.Checkpoint is { } uri)
            {
                checkpoints.Add(new CheckpointEvent { Step = progress.Step, Time = when, Uri = uri });
            }

            (step, last) = (progress.Step, when);
        }

        if (steps.Count > 0)
        {
            await report(new EventBatch { Namespace = source.Namespace, Job = source.Job, JobUid = source.JobUid, Attempt = source.Attempt, Steps = steps, Checkpoints = checkpoints });
        }

        _looked = now;
        Keep(() => _file.Advance(step, last));
        return true;
    }

    public void Dispose()
    {
        _skipped.Flush();
        _file.Dispose();
    }

    private List<ContainerProgress> Parse(IReadOnlyList<FileLine> lines)
    {
        var read = new List<ContainerProgress>();
        foreach (var line in lines.Where(line => !line.Text.Span.Trim(" \t\r\0"u8).IsEmpty))
        {
            var problem = TooLong;
            if (line.Text.Length <= MostBytes && ProgressReader.Read(line.Text.Span.Trim(" \t\r\0"u8), out problem) is { } progress)
            {
                read.Add(progress);
            }
            else
            {
                _skipped.Add(line, line.IsTorn ? $"its end is missing; {problem}" : problem);
            }
        }

        return read;
    }

    private void Keep(Action save)
    {
        try
        {
            save();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Say($"the position beside the progress file cannot be kept, so a restart reports again: {e.Message}");
        }
    }

    private void Say(string line)
    {
        if (line != _said)
        {
            log(_said = line);
        }
    }
}
