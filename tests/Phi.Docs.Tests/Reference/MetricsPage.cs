using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Phi.Docs.Tests.Reference;

/// <summary>The operator's own metrics, from the calls that register them.</summary>
internal static partial class MetricsPage
{
    private static readonly string Folder = Path.Combine(Repository.Root, "operators", "Phi.Operator");

    /// <summary>Calls that register a metric, in whatever form.</summary>
    public static int Calls => Sources().Sum(text => AnyRegistration().Count(text));

    public static string Write()
    {
        var text = new StringBuilder($"# Metrics of the operator\n\n`/metrics` of `phi operator --health-port` serves them, and those of .NET (`dotnet_*`, `process_*`). Seconds and bytes; no label has a job's, pod's or node's name. Labels with words of others keep their first 40 values; the rest is `Other`. Alerts on them: [alerts.md](../operations/alerts.md). {MarkdownText.Generated}\n\n");
        text.Append("| metric | type | labels | what it means |\n| --- | --- | --- | --- |\n");
        foreach (var metric in Metrics().OrderBy(match => match.Groups["name"].Value, StringComparer.Ordinal))
        {
            var labels = metric.Groups["labels"].Value.Split([',', ' ', '"'], StringSplitOptions.RemoveEmptyEntries);
            text.Append(CultureInfo.InvariantCulture, $"| `{metric.Groups["name"].Value}` | {metric.Groups["kind"].Value.ToLowerInvariant()} | {string.Join(", ", labels.Select(MarkdownText.Code))} | {MarkdownText.Cell(metric.Groups["help"].Value)} |\n");
        }

        return text.ToString();
    }

    public static IEnumerable<Match> Metrics() => Sources().SelectMany(text => Registrations().Matches(text));

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Folder, "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText);

    [GeneratedRegex("""Create(?<kind>Counter|Gauge|Histogram|Summary)\(\s*"(?<name>\w+)",\s*"(?<help>[^"]*)"(,\s*\[(?<labels>[^\]]*)\])?""")]
    private static partial Regex Registrations();

    [GeneratedRegex(@"Create(Counter|Gauge|Histogram|Summary)\(")]
    private static partial Regex AnyRegistration();
}
