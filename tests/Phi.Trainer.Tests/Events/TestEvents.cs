using Phi.Api.Agent;
using Phi.Trainer.Ranks;

namespace Phi.Trainer.Tests.Events;

/// <summary>Events that tell which they are.</summary>
internal static class TestEvents
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public static RankEvent Step(long step, int rank = 0) =>
        new RankEvent.Stepped(new StepEvent { Rank = rank, Step = step, Time = Start.AddSeconds(step), Metrics = new Dictionary<string, double> { ["loss"] = step == 3 ? double.NaN : 1.0 / step, ["tokens"] = step * 64 } });

    public static RankEvent Saved(long step) => new RankEvent.Saved(new CheckpointEvent { Step = step, Time = Start, Uri = $"file:///checkpoints/{step}" });

    public static RankEvent Missed(long step) => new RankEvent.Missed(new MissedCheckpoint { Step = step, Time = Start, Reason = MissedCheckpoint.StorageFailed, Message = "full" });

    public static RankEvent Mark() => new RankEvent.Reached(new AttemptMark(AttemptMark.Joined, Start));

    /// <summary>Such as "step 3 of 0", "saved 10", "missed 20".</summary>
    public static string Text(RankEvent value) => value switch
    {
        RankEvent.Stepped { Step: var step } => $"step {step.Step} of {step.Rank}",
        RankEvent.Saved saved => $"saved {saved.Checkpoint.Step}",
        RankEvent.Missed missed => $"missed {missed.Checkpoint.Step}",
        RankEvent.Reached reached => reached.Mark.Name,
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "no event of a batch"),
    };
}
