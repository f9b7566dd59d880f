using Phi.Telemetry.Retention;
using Phi.Telemetry.Series;

namespace Phi.Telemetry.Tests;

/// <summary>Which runs go.</summary>
public sealed class RunRetentionTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(91, false, 90, true, "Expired", "its job is gone; its last activity was 91.0 days ago, and it stays for 90.0")]
    [InlineData(90, false, 90, false, "Recent", "its job is gone; its last activity was 90.0 days ago, and it stays for 90.0")]
    [InlineData(-1, false, 90, false, "Recent", "its job is gone; its last activity was -1.0 days ago, and it stays for 90.0")]
    [InlineData(1000, true, 90, false, "JobExists", "its job exists")]
    [InlineData(1000, false, 0, false, "KeepsAll", "no limit is set")]
    [InlineData(null, false, 90, true, "Empty", "its job is gone, and nothing is stored of it")]
    [InlineData(null, true, 90, false, "JobExists", "its job exists")]
    public void Decide_ByJobAndAge_SaysWhy(int? daysAgo, bool hasJob, int limitDays, bool isRemoved, string reason, string message)
    {
        var run = new RunActivity(new RunSummary("uid", "default", "job"), daysAgo is { } days ? Now.AddDays(-days) : null);

        var decision = Assert.Single(RunRetention.Decide(new RetentionSnapshot { Runs = [run], Jobs = hasJob ? new HashSet<string> { "uid" } : new HashSet<string>(), Limit = TimeSpan.FromDays(limitDays), Now = Now }));

        Assert.Equal(new RetentionDecision(run.Run, isRemoved, reason, message), decision);
    }
}
