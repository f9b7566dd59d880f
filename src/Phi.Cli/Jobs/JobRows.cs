using System.Globalization;
using Phi.Api.TrainingJobs;

namespace Phi.Cli.Jobs;

/// <summary>Jobs as lines of a table.</summary>
internal static class JobRows
{
    private const string Nothing = "-";

    /// <param name="curves">A job's loss in one line, by its uid; null: no such column.</param>
    public static IReadOnlyList<string[]> Of(IEnumerable<TrainingJob> jobs, DateTimeOffset now, IReadOnlyDictionary<string, string>? curves) =>
    [
        [.. new[] { "NAMESPACE", "NAME", "STATE", "READY", "STEP", "LOSS", "TOKENS/S", "RESTARTS", "GOODPUT", "LEFT", "AGE" }, .. curves is null ? Array.Empty<string>() : ["LOSS SO FAR"]],
        .. jobs.Select(job => (string[])[.. Cells(job, now), .. curves is null ? Array.Empty<string>() : [curves.GetValueOrDefault(job.Metadata.Uid!, "")]]),
    ];

    private static string[] Cells(TrainingJob job, DateTimeOffset now)
    {
        var (status, progress) = (job.Status, job.Status?.Progress);
        return
        [
            job.Metadata.Namespace!, job.Metadata.Name!, status?.Phase ?? TrainingPhase.Pending, status?.Ready ?? Nothing,
            progress is { Step: { } step, TotalSteps: { } total } ? Text($"{step}/{total}") : Text($"{progress?.Step}"),
            Text($"{progress?.Loss:0.0000}"), Text($"{progress?.TokensPerSecond:0}"), Text($"{(status?.Restarts ?? 0) + (status?.FreeRestarts ?? 0)}"), Text($"{status?.Goodput?.Ratio:P1}"),
            status?.CompletionTime is null && progress?.EstimatedCompletion is { } end && end > now ? Span(end - now) : Nothing,
            job.Metadata.CreationTimestamp is { } created ? Span(now - created) : Nothing,
        ];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture) is { Length: > 0 } given ? given : Nothing;

    private static string Span(TimeSpan span) => span switch
    {
        { TotalSeconds: < 120 } => Text($"{Math.Max(0, span.TotalSeconds):0}s"),
        { TotalMinutes: < 120 } => Text($"{span.TotalMinutes:0}m"),
        { TotalHours: < 48 } => Text($"{span.TotalHours:0}h"),
        _ => Text($"{span.TotalDays:0}d"),
    };
}
