using System.Globalization;
using System.Text.RegularExpressions;

namespace Phi.Api.Metadata;

/// <summary>Durations as Go and Kubernetes write them: 500ms, 1s, 1h30m. Units h, m, s, ms in this order.</summary>
public static partial class KubernetesDuration
{
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        if (text is null || Pattern().Match(text) is not { Success: true, Length: > 0 } match)
        {
            return false;
        }

        duration = TimeSpan.FromHours(Part("h")) + TimeSpan.FromMinutes(Part("m")) + TimeSpan.FromSeconds(Part("s")) + TimeSpan.FromMilliseconds(Part("ms"));
        return true;

        double Part(string unit) => match.Groups[unit].Success ? double.Parse(match.Groups[unit].ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

    /// <exception cref="FormatException">The text is no duration.</exception>
    public static TimeSpan Parse(string text) =>
        TryParse(text, out var duration) ? duration : throw new FormatException($"'{text}' is no duration; write it like 30s, 10m or 1h30m");

    [GeneratedRegex(@"^(?=.)(?:(?<h>\d{1,6}(?:\.\d{1,6})?)h)?(?:(?<m>\d{1,6}(?:\.\d{1,6})?)m(?!s))?(?:(?<s>\d{1,6}(?:\.\d{1,6})?)s)?(?:(?<ms>\d{1,9})ms)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
