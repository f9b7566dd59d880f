using Phi.Api.Agent;

namespace Phi.Telemetry.Story;

/// <summary>What a part of a recovery was spent on, in the order in which they come.</summary>
public enum RecoveryStage
{
    /// <summary>From the last step until the operator knew that the attempt was over.</summary>
    Detect,

    /// <summary>What was left of the attempt ended, or was given up.</summary>
    Drain,

    /// <summary>Waiting: for quota, for room, for a backoff.</summary>
    Queue,

    /// <summary>Pods were made and placed, and began.</summary>
    Start,

    /// <summary>Ranks met.</summary>
    Rendezvous,

    /// <summary>The checkpoint was read.</summary>
    Restore,

    /// <summary>The first step was done.</summary>
    FirstStep,
}

public sealed record RecoveryPart(RecoveryStage Stage, DateTimeOffset Start, DateTimeOffset End)
{
    public TimeSpan Length => End - Start;
}

/// <summary>From one attempt's last step to the next one's first.</summary>
/// <param name="IsOver">Whether the next attempt has completed a step.</param>
public sealed record Recovery(Interruption Interruption, int NextAttempt, IReadOnlyList<RecoveryPart> Parts, bool IsOver)
{
    private static readonly HashSet<string> Draining = ["Replacing", "Releasing", "Fenced", "Deleting"];
    private static readonly HashSet<string> Starting = ["CreatingPods", "Placed", "Starting"];

    public DateTimeOffset Start => Parts[0].Start;

    public DateTimeOffset End => Parts[^1].End;

    /// <summary>The recoveries of a run, in the order of time; the last one may still go on.</summary>
    /// <param name="now">Until when one that goes on has lasted; of a job that has ended, its end.</param>
    public static IReadOnlyList<Recovery> Of(RunStory story, DateTimeOffset now) =>
        [.. story.Interruptions.OrderBy(interruption => interruption.Attempt).Select(interruption => Of(story, interruption, now)).OfType<Recovery>()];

    private static Recovery? Of(RunStory story, Interruption interruption, DateTimeOffset now)
    {
        var last = story.Training.LastOrDefault(span => span.Attempt <= interruption.Attempt);
        var next = story.Training.FirstOrDefault(span => span.Attempt > interruption.Attempt);
        var nextAttempt = next?.Attempt ?? interruption.Attempt + 1;
        // An attempt that ended before it trained lies within the recovery before it.
        if (last?.Attempt != interruption.Attempt && story.Interruptions.Any(earlier => earlier.Attempt < interruption.Attempt && earlier.Attempt >= (last?.Attempt ?? 0)))
        {
            return null;
        }

        var start = last?.End ?? interruption.Time;
        // Clocks of several machines may disagree.
        var end = next?.FirstStepEnd ?? now;
        end = end > start ? end : start;
        var boundaries = new List<(DateTimeOffset At, RecoveryStage Stage)> { (start, RecoveryStage.Detect), (interruption.Time, RecoveryStage.Drain) };
        boundaries.AddRange(story.Transitions.Where(transition => transition.Time > interruption.Time && transition.Time < end).Select(transition => (transition.Time, Stage(transition.Reason))));
        foreach (var mark in story.Marks.Where(mark => mark.Attempt == nextAttempt))
        {
            boundaries.Add((mark.Time, mark.Name switch { AttemptMark.Launched => RecoveryStage.Rendezvous, AttemptMark.Joined => RecoveryStage.Restore, _ => RecoveryStage.FirstStep }));
        }

        return new Recovery(interruption, nextAttempt, Divide(boundaries, start, end), next is not null);
    }

    private static RecoveryStage Stage(string reason) => Draining.Contains(reason) ? RecoveryStage.Drain : Starting.Contains(reason) ? RecoveryStage.Start : RecoveryStage.Queue;

    /// <summary>What lasted from each boundary to the next; neighbours of one stage are one, and a stage never gives way to what the ranks said before it.</summary>
    private static List<RecoveryPart> Divide(List<(DateTimeOffset At, RecoveryStage Stage)> boundaries, DateTimeOffset start, DateTimeOffset end)
    {
        var parts = new List<RecoveryPart>();
        var hasLaunched = false;
        foreach (var (at, stage) in boundaries.OrderBy(boundary => boundary.At).ThenBy(boundary => boundary.Stage))
        {
            hasLaunched |= stage >= RecoveryStage.Rendezvous;
            if (at >= end || (hasLaunched && stage < RecoveryStage.Rendezvous))
            {
                continue;
            }

            var from = at < start ? start : at;
            if (parts.Count > 0)
            {
                parts[^1] = parts[^1] with { End = from };
            }

            if (parts.Count == 0 || parts[^1].Stage != stage)
            {
                parts.Add(new RecoveryPart(stage, from, end));
            }
        }

        if (parts.Count == 0)
        {
            return [new RecoveryPart(RecoveryStage.Detect, start, end)];
        }

        parts[^1] = parts[^1] with { End = end };
        return [.. parts.Where(part => part.Length > TimeSpan.Zero || parts.Count == 1)];
    }
}
