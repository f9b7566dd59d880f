using System.Diagnostics.CodeAnalysis;

namespace Phi.Api.CronTrainingJobs;

/// <summary>
/// A cron expression of five fields, as Kubernetes' CronJob reads it (github.com/robfig/cron v3, ParseStandard): names, ranges, steps,
/// lists; '?' is '*'; when both day fields are restricted, a day matches if either does. A time is due whenever the zone's clock shows it:
/// what a clock skips when it is put forward is not due, what it shows twice when it is put back is due twice.
/// </summary>
public sealed class CronSchedule
{
    /// <summary>29 February may be eight years away.</summary>
    private const int SearchYears = 9;

    /// <summary>No zone's clock is moved by more at once, whole days left aside.</summary>
    private static readonly TimeSpan LongestShift = TimeSpan.FromHours(3);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly ulong _minutes;
    private readonly ulong _hours;
    private readonly ulong _days;
    private readonly ulong _months;
    private readonly ulong _weekdays;
    private readonly bool _isEitherDay;

    private CronSchedule(ulong minutes, ulong hours, ulong days, ulong months, ulong weekdays, bool isEitherDay) =>
        (_minutes, _hours, _days, _months, _weekdays, _isEitherDay) = (minutes, hours, days, months, weekdays, isEitherDay);

    /// <summary>The schedule, or the rule that the text breaks and the remedy.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CronSchedule? schedule, [NotNullWhen(false)] out (string Rule, string Remedy)? problem)
    {
        (schedule, problem) = (null, null);
        var fields = text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (text.StartsWith('@'))
        {
            if (CronFields.Macro(text) is not { } expanded)
            {
                problem = ("is no known macro", $"write one of {CronFields.Macros}, or five fields");
                return false;
            }

            fields = expanded.Split(' ');
        }

        if (fields.Length != 5)
        {
            problem = ($"must have five fields; it has {fields.Length}", "write minute, hour, day of month, month, day of week, such as 0 3 * * 1");
            return false;
        }

        var sets = new ulong[5];
        for (var i = 0; i < sets.Length; i++)
        {
            if (CronFields.All[i].Parse(fields[i], out sets[i]) is { } found)
            {
                problem = found;
                return false;
            }
        }

        schedule = new CronSchedule(sets[0], sets[1], sets[2], sets[3], sets[4], !CronFields.IsAny(fields[2]) && !CronFields.IsAny(fields[4]));
        return true;
    }

    /// <summary>The first due minute after a time; null if there is none within nine years.</summary>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        var start = after.ToUniversalTime();
        var end = start.AddYears(SearchYears);
        for (var time = new DateTimeOffset(start.Ticks - start.Ticks % Minute.Ticks, TimeSpan.Zero) + Minute; time <= end;)
        {
            var local = TimeZoneInfo.ConvertTime(time, zone).DateTime;
            if (!IsDay(local))
            {
                if (NextDay(local, end.UtcDateTime.AddDays(1)) is not { } day)
                {
                    return null;
                }

                // Close to the day's start by the jump, then by the minute: only the zone's clock says when the day begins, if it does.
                var near = new DateTimeOffset(day, zone.GetUtcOffset(day)).ToUniversalTime() - LongestShift;
                time = near > time ? near : time + Minute;
            }
            else if (Has(_hours, local.Hour) && Has(_minutes, local.Minute))
            {
                return time;
            }
            else
            {
                time += Minute;
            }
        }

        return null;
    }

    private DateTime? NextDay(DateTime local, DateTime end)
    {
        for (var day = local.Date.AddDays(1); day <= end; day = day.AddDays(1))
        {
            if (IsDay(day))
            {
                return day;
            }
        }

        return null;
    }

    private bool IsDay(DateTime local)
    {
        var (day, weekday) = (Has(_days, local.Day), Has(_weekdays, (int)local.DayOfWeek));
        return Has(_months, local.Month) && (_isEitherDay ? day || weekday : day && weekday);
    }

    private static bool Has(ulong set, int value) => (set >> value & 1) != 0;
}
