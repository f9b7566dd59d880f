using System.Collections.Concurrent;
using System.Text.RegularExpressions;

namespace Phi.LocalCluster.ApiServer.Schemas.Cel;

/// <summary>Compiled patterns of rules. Making one costs more than all other rules of an object together.</summary>
internal static class Patterns
{
    /// <summary>Patterns that a rule computes must not fill the memory.</summary>
    private const int Most = 1000;
    private static readonly ConcurrentDictionary<string, Regex> Known = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">The pattern is no regular expression.</exception>
    public static Regex Of(string pattern)
    {
        if (Known.TryGetValue(pattern, out var known))
        {
            return known;
        }

        var made = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        return Known.Count < Most ? Known.GetOrAdd(pattern, made) : made;
    }
}
