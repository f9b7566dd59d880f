using System.Globalization;

namespace Phi.Api.CronTrainingJobs;

/// <summary>The fields of a cron expression: their ranges, and the names of their values from the least on (empty: numbers alone).</summary>
internal sealed record CronFields(string Name, int Least, int Most, IReadOnlyList<string> Names)
{
    private static readonly Dictionary<string, string> Expansions = new()
    {
        ["@yearly"] = "0 0 1 1 *",
        ["@annually"] = "0 0 1 1 *",
        ["@monthly"] = "0 0 1 * *",
        ["@weekly"] = "0 0 * * 0",
        ["@daily"] = "0 0 * * *",
        ["@midnight"] = "0 0 * * *",
        ["@hourly"] = "0 * * * *",
    };

    public static IReadOnlyList<CronFields> All { get; } =
    [
        new("minute", 0, 59, []),
        new("hour", 0, 23, []),
        new("day of month", 1, 31, []),
        new("month", 1, 12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        new("day of week", 0, 6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ];

    public static string Macros => string.Join(", ", Expansions.Keys);

    public static string? Macro(string text) => Expansions.GetValueOrDefault(text);

    /// <summary>A star that no step thins out: the field does not restrict the day, and the other day field alone counts.</summary>
    public static bool IsAny(string text) => text.Split(',').Any(part => part[..Math.Min(1, part.Length)] is "*" or "?" && !(part.Contains('/') && !part.EndsWith("/1", StringComparison.Ordinal)));

    /// <summary>A bit for each value; or what is wrong.</summary>
    public (string Rule, string Remedy)? Parse(string text, out ulong set)
    {
        set = 0;
        foreach (var part in text.Split(','))
        {
            if (ParsePart(part, ref set) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private (string Rule, string Remedy)? ParsePart(string part, ref ulong set)
    {
        var (range, step) = part.Split('/') switch
        {
            [var all] => (all, 1),
            [var all, var every] when int.TryParse(every, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 => (all, number),
            _ => ("", 0),
        };
        var (least, most) = range switch
        {
            _ when step == 0 => (-1, -1),
            "*" or "?" => (Least, Most),
            _ when range.Split('-') is [var first, var last] => (Value(first), Value(last)),
            // A single start with a step goes on to the end of the field.
            _ => (Value(range), step > 1 || part.Contains('/') ? Most : Value(range)),
        };
        if (least < 0 || most < 0)
        {
            return ($"has '{part}' as {Name}, which must be {Allowed}", "write a value, a range such as 1-5, or a step such as */15");
        }

        if (least > most)
        {
            return ($"has '{part}' as {Name}, whose end is before its start", $"write two parts, such as {least}-{Most},{Least}-{most}");
        }

        for (var value = least; value <= most; value += step)
        {
            set |= 1UL << value;
        }

        return null;
    }

    private string Allowed => Names.Count == 0 ? $"from {Least} to {Most}" : $"from {Least} to {Most}, or {Names[0]} to {Names[^1]}";

    /// <summary>-1: no value of this field.</summary>
    private int Value(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number >= Least && number <= Most ? number : -1;
        }

        var index = Names.Index().Where(entry => string.Equals(entry.Item, text, StringComparison.OrdinalIgnoreCase)).Select(entry => (int?)entry.Index).FirstOrDefault();
        return index is { } found ? found + Least : -1;
    }
}
