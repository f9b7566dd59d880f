using Phi.Api.CronTrainingJobs;

namespace Phi.Reconcile.Cron;

/// <summary>Due times of one schedule in one zone.</summary>
public sealed record CronCalendar(CronSchedule Schedule, TimeZoneInfo Zone)
{
    /// <summary>Beyond so many, missed times are no longer counted.</summary>
    public const int CountLimit = 100;

    private static readonly TimeSpan[] Windows = [TimeSpan.FromHours(2), TimeSpan.FromDays(3), TimeSpan.FromDays(70)];

    public DateTimeOffset? Next(DateTimeOffset after) => Schedule.Next(after, Zone);

    /// <summary>The newest due time in (<paramref name="after"/>, <paramref name="now"/>]; null if there is none.</summary>
    public DateTimeOffset? Newest(DateTimeOffset after, DateTimeOffset now)
    {
        // Looking back a little finds a dense schedule's newest time without walking through years of earlier ones.
        foreach (var window in Windows.Where(window => now - after > window).Append(now - after))
        {
            if (Next(now - window) is { } first && first <= now)
            {
                return Last(first, now);
            }
        }

        return null;
    }

    /// <summary>Due times in (<paramref name="after"/>, <paramref name="before"/>), at most one more than <see cref="CountLimit"/>.</summary>
    public int Count(DateTimeOffset after, DateTimeOffset before)
    {
        var count = 0;
        for (var time = Next(after); time < before && count <= CountLimit; time = Next(time.Value))
        {
            count++;
        }

        return count;
    }

    private DateTimeOffset Last(DateTimeOffset first, DateTimeOffset now)
    {
        var last = first;
        while (Next(last) is { } next && next <= now)
        {
            last = next;
        }

        return last;
    }
}
