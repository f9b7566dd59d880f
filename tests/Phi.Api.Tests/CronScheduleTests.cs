using System.Globalization;
using CsCheck;
using Phi.Api.CronTrainingJobs;

namespace Phi.Api.Tests;

/// <summary>Due times by example, by the clock's jumps, and against every minute one by one.</summary>
public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("*/15 * * * *", "2026-03-01T00:00:00Z", "2026-03-01T00:15:00Z")]
    [InlineData("0 3 * * 1", "2026-03-01T00:00:00Z", "2026-03-02T03:00:00Z")]
    [InlineData("5/20 * * * *", "2026-03-01T00:26:00Z", "2026-03-01T00:45:00Z")]
    [InlineData("0 0 1,15 * ?", "2026-03-02T00:00:00Z", "2026-03-15T00:00:00Z")]
    [InlineData("0 12 * JAN-mar Sun", "2026-03-30T00:00:00Z", "2027-01-03T12:00:00Z")]
    [InlineData("0 0 13 * 5", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z")]
    [InlineData("0 0 */2 * 5", "2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z")]
    [InlineData("0 0 13 * *", "2026-03-01T00:00:00Z", "2026-03-13T00:00:00Z")]
    [InlineData("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z")]
    [InlineData("@hourly", "2026-03-01T00:59:59.9Z", "2026-03-01T01:00:00Z")]
    [InlineData("@weekly", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z")]
    [InlineData("@yearly", "2026-03-02T00:00:00Z", "2027-01-01T00:00:00Z")]
    public void Next_InUtc_IsTheFirstDueMinuteAfter(string text, string after, string expected) =>
        Assert.Equal(Time(expected), Parse(text).Next(Time(after), TimeZoneInfo.Utc));

    [Fact]
    public void Next_OfADayThatNeverComes_IsNone() => Assert.Null(Parse("0 0 30 2 *").Next(Time("2026-01-01T00:00:00Z"), TimeZoneInfo.Utc));

    [Fact]
    public void Next_OfASkippedLocalTime_IsTheNextDay() =>
        Assert.Equal(Time("2026-03-09T06:30:00Z"), Parse("30 2 * * *").Next(Time("2026-03-08T00:00:00-05:00"), Zone("America/New_York")));

    [Fact]
    public void Next_OfARepeatedLocalTime_IsDueTwice()
    {
        var schedule = Parse("30 1 * * *");

        var first = schedule.Next(Time("2026-11-01T00:00:00-04:00"), Zone("America/New_York"));

        Assert.Equal(Time("2026-11-01T05:30:00Z"), first);
        Assert.Equal(Time("2026-11-01T06:30:00Z"), schedule.Next(first!.Value, Zone("America/New_York")));
    }

    [Fact]
    public void Next_WhereMidnightIsSkipped_StartsTheDayAtOne() =>
        Assert.Equal(Time("2017-10-15T03:05:00Z"), Parse("5 * 15 10 *").Next(Time("2017-10-14T12:00:00Z"), Zone("America/Sao_Paulo")));

    [Fact]
    public void Next_WhereADayIsSkipped_TakesTheNextOne() =>
        Assert.Equal(Time("2012-12-30T00:00:00+14:00"), Parse("0 0 30 12 *").Next(Time("2011-12-29T12:00:00-10:00"), Zone("Pacific/Apia")));

    [Theory]
    [InlineData("* * * *", "must have five fields; it has 4")]
    [InlineData("* * * * * *", "must have five fields; it has 6")]
    [InlineData("60 * * * *", "has '60' as minute, which must be from 0 to 59")]
    [InlineData("* * * * 7", "has '7' as day of week, which must be from 0 to 6, or sun to sat")]
    [InlineData("* 5-3 * * *", "has '5-3' as hour, whose end is before its start")]
    [InlineData("*/0 * * * *", "has '*/0' as minute, which must be from 0 to 59")]
    [InlineData("* * * foo *", "has 'foo' as month, which must be from 1 to 12, or jan to dec")]
    [InlineData("1,,2 * * * *", "has '' as minute, which must be from 0 to 59")]
    [InlineData("@every 1h", "is no known macro")]
    public void TryParse_OfBrokenText_NamesTheRule(string text, string rule)
    {
        Assert.False(CronSchedule.TryParse(text, out _, out var problem));
        Assert.Equal(rule, problem!.Value.Rule);
        Assert.NotEmpty(problem.Value.Remedy);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Local")]
    [InlineData("Mars/Olympus")]
    [InlineData("../../../etc/passwd")]
    public void Zone_ThatIsNone_IsNull(string name) => Assert.Null(CronTrainingJobValidator.Zone(name));

    [Fact]
    public void Validate_NameTooLongForItsJobs_IsRefused()
    {
        var cron = new CronTrainingJob { Spec = new CronTrainingJobSpec { Schedule = "@daily" } };
        cron.Metadata.Name = new string('a', 53);

        Assert.Equal(["metadata.name", "spec.jobTemplate.spec"], CronTrainingJobValidator.Validate(cron).Select(error => error.Field));
    }

    [Fact]
    public void Next_OfAnySchedule_IsTheFirstMinuteThatTheZonesClockMatches()
    {
        // Starts near the jumps of clocks, among others one of half an hour and one at midnight.
        string[] zones = ["Etc/UTC", "America/New_York", "Europe/Zurich", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu"];
        string[] starts = ["2026-03-07T20:00:00Z", "2026-10-31T20:00:00Z", "2026-03-28T20:00:00Z", "2026-04-04T10:00:00Z", "2026-10-03T10:00:00Z", "2018-11-03T20:00:00Z", "2018-02-17T20:00:00Z", "2026-12-31T12:00:00Z"];
        var fields = Gen.Select(Field(0, 59), Field(0, 23), Field(1, 31), Field(1, 12), Field(0, 6));
        Gen.Select(fields, Gen.Int[0, zones.Length - 1], Gen.Int[0, starts.Length - 1], Gen.Int[0, 3000]).Sample(
            (field, zone, start, minutes) =>
            {
                var sets = new[] { field.Item1, field.Item2, field.Item3, field.Item4, field.Item5 };
                var after = Time(starts[start]).AddMinutes(minutes);
                Assert.Equal(BruteForce(sets, after, Zone(zones[zone])), Within(after, Parse(string.Join(' ', sets.Select(set => set.Text))).Next(after, Zone(zones[zone]))));
            },
            iter: 300, threads: 1);
    }

    private static readonly TimeSpan Horizon = TimeSpan.FromDays(4);

    private static DateTimeOffset? Within(DateTimeOffset after, DateTimeOffset? time) => time - after <= Horizon ? time : null;

    private static DateTimeOffset? BruteForce((string Text, HashSet<int> Values)[] sets, DateTimeOffset after, TimeZoneInfo zone)
    {
        for (var time = new DateTimeOffset(after.Ticks - after.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero).AddMinutes(1); time - after <= Horizon; time = time.AddMinutes(1))
        {
            var local = TimeZoneInfo.ConvertTime(time, zone);
            var (day, weekday) = (sets[2].Values.Contains(local.Day), sets[4].Values.Contains((int)local.DayOfWeek));
            var isDay = sets[2].Text == "*" || sets[4].Text == "*" ? day && weekday : day || weekday;
            if (isDay && sets[3].Values.Contains(local.Month) && sets[1].Values.Contains(local.Hour) && sets[0].Values.Contains(local.Minute))
            {
                return time;
            }
        }

        return null;
    }

    /// <summary>A star, a value, a range with a step, or a list; with the values that it means.</summary>
    private static Gen<(string Text, HashSet<int> Values)> Field(int least, int most)
    {
        var any = Gen.Const(("*", Enumerable.Range(least, most - least + 1).ToHashSet()));
        var value = Gen.Int[least, most].Select(one => ($"{one}", new HashSet<int> { one }));
        var range = Gen.Select(Gen.Int[least, most], Gen.Int[least, most], Gen.Int[1, 7]).Select((one, other, step) =>
        {
            var (first, last) = (Math.Min(one, other), Math.Max(one, other));
            return ($"{first}-{last}/{step}", Enumerable.Range(first, last - first + 1).Where(number => (number - first) % step == 0).ToHashSet());
        });
        var list = Gen.Select(value, range).Select((one, two) => ($"{one.Item1},{two.Item1}", one.Item2.Union(two.Item2).ToHashSet()));
        return Gen.Frequency((4, any), (1, value), (2, range), (1, list));
    }

    private static CronSchedule Parse(string text) => CronSchedule.TryParse(text, out var schedule, out var problem) ? schedule : throw new FormatException(problem.Value.Rule);

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static TimeZoneInfo Zone(string name) => CronTrainingJobValidator.Zone(name) ?? throw new InvalidOperationException($"this machine has no zone {name}");
}
