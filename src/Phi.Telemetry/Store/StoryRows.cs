using Microsoft.EntityFrameworkCore;
using Phi.Telemetry.Model;
using Phi.Telemetry.Story;

namespace Phi.Telemetry.Store;

/// <summary>Reads what happened to a run.</summary>
internal static class StoryRows
{
    private const string StepSeconds = "step_seconds";

    public static async Task<RunStory> ReadAsync(TelemetryContext context, string runId, CancellationToken ct)
    {
        var transitions = await context.Transitions.Where(row => row.RunId == runId).OrderBy(row => row.Ts).AsNoTracking().ToListAsync(ct);
        var interruptions = await context.Interruptions.Where(row => row.RunId == runId).OrderBy(row => row.Attempt).AsNoTracking().ToListAsync(ct);
        var marks = await context.Marks.Where(row => row.RunId == runId).OrderBy(row => row.Ts).AsNoTracking().ToListAsync(ct);
        return new RunStory
        {
            Transitions = [.. transitions.Select(row => new Transition(Time(row.Ts), row.Reason, row.Message, row.IsWarning, row.Attempt, row.Phase))],
            Interruptions = [.. interruptions.Select(row => new Interruption(row.Attempt, Time(row.Ts), row.Reason, row.Message, row.Charged, row.Step, row.ResumeStep, row.LostSteps))],
            Marks = [.. marks.Select(row => new Mark(row.Attempt, row.Name, Time(row.Ts)))],
            Training = await TrainingAsync(context, runId, ct),
        };
    }

    private static async Task<IReadOnlyList<TrainingSpan>> TrainingAsync(TelemetryContext context, string runId, CancellationToken ct)
    {
        var spans = await context.Series.Where(series => series.RunId == runId && series.Metric == StepSeconds && series.Rank == 0).OrderBy(series => series.Attempt)
            .Select(series => new
            {
                series.Attempt,
                First = context.Points.Where(point => point.SeriesId == series.Id).OrderBy(point => point.Step).Select(point => (long?)point.Ts).FirstOrDefault(),
                Seconds = context.Points.Where(point => point.SeriesId == series.Id).OrderBy(point => point.Step).Select(point => point.Value).FirstOrDefault(),
                Last = context.Points.Where(point => point.SeriesId == series.Id).OrderByDescending(point => point.Step).Select(point => (long?)point.Ts).FirstOrDefault(),
            })
            .ToListAsync(ct);
        return [.. spans.Where(span => span.First is not null).Select(span => new TrainingSpan(span.Attempt, Time(span.First!.Value).AddSeconds(-span.Seconds), Time(span.First.Value), Time(span.Last!.Value)))];
    }

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
}
