using System.Globalization;

namespace Phi.Checkpoints.Retention;

/// <summary>What goes and what stays of a store: a function of what it holds, the policy and the time.</summary>
public static class RetentionPlan
{
    /// <param name="steps">Each step once.</param>
    /// <param name="now">By the storage's clock.</param>
    /// <returns>Newest first.</returns>
    public static IReadOnlyList<RetentionDecision> Of(RetentionPolicy policy, IReadOnlyCollection<StoredStep> steps, DateTimeOffset now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(policy.KeepLast, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(policy.KeepEvery ?? 1, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(policy.OrphanGrace, TimeSpan.Zero);
        var decisions = new List<RetentionDecision>();
        var newer = 0;
        foreach (var step in steps.OrderByDescending(step => step.Step))
        {
            decisions.Add(Decide(policy, step, newer, now));
            newer += step.State == StepState.Committed ? 1 : 0;
            if (!decisions[^1].IsRemoved && step.Leftovers.Count > 0)
            {
                decisions.Add(Leftovers(policy, step, now));
            }
        }

        return decisions;
    }

    /// <param name="newer">Committed checkpoints of later steps.</param>
    private static RetentionDecision Decide(RetentionPolicy policy, StoredStep step, int newer, DateTimeOffset now)
    {
        if (step.State == StepState.Committed && newer == 0)
        {
            return Keep("Newest", "it is the newest one");
        }

        if (step.Pin is { } pin)
        {
            return Keep("Pinned", $"{pin.Who} pinned it{(pin.Why is { Length: > 0 } why ? $": {why}" : "")}");
        }

        if (step.Uses.FirstOrDefault(use => use.Expires > now) is { } use)
        {
            return Keep("InUse", $"{use.Who} uses it: {use.Purpose}");
        }

        if (step.State == StepState.Committed)
        {
            return newer < policy.KeepLast ? Keep("KeepLast", Text($"it is one of the newest {policy.KeepLast}"))
                : policy.KeepEvery is { } every && step.Step > 0 && step.Step % every == 0 ? Keep("KeepEvery", Text($"its step is a multiple of {every}"))
                : Remove("Older", Text($"the newest {policy.KeepLast} are kept"));
        }

        if (now - step.Modified < policy.OrphanGrace)
        {
            return Keep("Recent", Text($"it is not committed and was written {Age(now - step.Modified)} ago: it may be being saved, and stays for {Age(policy.OrphanGrace)}"));
        }

        return step.State == StepState.Uncommitted ? Remove("NeverCommitted", Text($"it was never committed, and last written {Age(now - step.Modified)} ago"))
            : newer >= policy.KeepLast ? Remove("DamagedOld", Text($"its manifest is damaged, and {newer} newer checkpoints are good"))
            : Keep("Damaged", Text($"its manifest is damaged; it goes once {policy.KeepLast} newer checkpoints are good"));

        RetentionDecision Keep(string reason, string message) => new(step.Step, Kind(step), step.Bytes, false, reason, message);

        RetentionDecision Remove(string reason, string message) => new(step.Step, Kind(step), step.Bytes, true, reason, message);
    }

    private static RetentionDecision Leftovers(RetentionPolicy policy, StoredStep step, DateTimeOffset now)
    {
        var (bytes, age) = (step.Leftovers.Sum(file => file.Bytes), now - step.Leftovers.Max(file => file.Modified));
        return age < policy.OrphanGrace
            ? new RetentionDecision(step.Step, RetainedKind.Leftovers, bytes, false, "Recent", $"{step.Leftovers.Count} files beside it are not part of it and were written {Age(age)} ago: they stay for {Age(policy.OrphanGrace)}")
            : new RetentionDecision(step.Step, RetainedKind.Leftovers, bytes, true, "NeverCommitted", $"{step.Leftovers.Count} files beside it are not part of it, and were last written {Age(age)} ago");
    }

    private static RetainedKind Kind(StoredStep step) => step.State == StepState.Uncommitted ? RetainedKind.Orphan : RetainedKind.Checkpoint;

    private static string Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 2 } => Text($"{Math.Max(0, age.TotalSeconds):0} s"),
        { TotalHours: < 2 } => Text($"{age.TotalMinutes:0} min"),
        { TotalDays: < 2 } => Text($"{age.TotalHours:0.#} h"),
        _ => Text($"{age.TotalDays:0.#} days"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
