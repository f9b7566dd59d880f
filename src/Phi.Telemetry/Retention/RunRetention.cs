using System.Collections.Immutable;
using System.Globalization;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Retention;

/// <summary>A run, and the newest of whatever is stored of it.</summary>
/// <param name="LastActivity">Null: nothing is stored that has a time.</param>
public sealed record RunActivity(RunSummary Run, DateTimeOffset? LastActivity);

/// <summary>What is decided on.</summary>
public sealed record RetentionSnapshot
{
    public required ImmutableArray<RunActivity> Runs { get; init; }

    /// <summary>Uids of the jobs that exist; to be listed after the runs were, for a job that is created in between must be among them.</summary>
    public required IReadOnlySet<string> Jobs { get; init; }

    /// <summary>How long a run stays after its last activity, once its job is gone. 0: for ever.</summary>
    public required TimeSpan Limit { get; init; }

    public required DateTimeOffset Now { get; init; }
}

/// <summary>What becomes of one run, and why.</summary>
public sealed record RetentionDecision(RunSummary Run, bool IsRemoved, string Reason, string Message);

/// <summary>Which runs go.</summary>
public static class RunRetention
{
    public const string KeepsAll = "KeepsAll";
    public const string JobExists = "JobExists";
    public const string Recent = "Recent";
    public const string Expired = "Expired";
    public const string Empty = "Empty";

    public static ImmutableArray<RetentionDecision> Decide(RetentionSnapshot snapshot) => [.. snapshot.Runs.Select(run => Decide(snapshot, run))];

    private static RetentionDecision Decide(RetentionSnapshot snapshot, RunActivity activity)
    {
        if (snapshot.Limit <= TimeSpan.Zero)
        {
            return new RetentionDecision(activity.Run, false, KeepsAll, "no limit is set");
        }

        if (snapshot.Jobs.Contains(activity.Run.Run))
        {
            return new RetentionDecision(activity.Run, false, JobExists, "its job exists");
        }

        if (activity.LastActivity is not { } last)
        {
            return new RetentionDecision(activity.Run, true, Empty, "its job is gone, and nothing is stored of it");
        }

        var age = snapshot.Now - last;
        var message = string.Create(CultureInfo.InvariantCulture, $"its job is gone; its last activity was {age.TotalDays:F1} days ago, and it stays for {snapshot.Limit.TotalDays:F1}");
        return new RetentionDecision(activity.Run, age > snapshot.Limit, age > snapshot.Limit ? Expired : Recent, message);
    }
}
