using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Phi.Api.Manifests;

namespace Phi.Chart.Tests;

/// <summary>Alerts and dashboards ask for what the operator tells, and each alert's page is there.</summary>
public sealed partial class MonitoringTests
{
    private static readonly string[] Suffixes = ["_bucket", "_sum", "_count"];
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations", "alerts.md"));

    [Fact]
    public void Metrics_OfRulesAndDashboards_AreTheOperators()
    {
        var metrics = Metrics();
        var asked = Expressions().SelectMany(expression => Names().Matches(expression).Select(match => match.Value)).ToHashSet(StringComparer.Ordinal);

        Assert.True(asked.Count > 15, string.Join(", ", asked));
        Assert.DoesNotContain(asked, name => !metrics.ContainsKey(name) && !Suffixes.Any(suffix => name.EndsWith(suffix, StringComparison.Ordinal) && metrics.GetValueOrDefault(name[..^suffix.Length]) is ("Histogram", _)));
    }

    [Fact]
    public void Labels_OfSelectors_AreTheirMetrics()
    {
        var metrics = Metrics();
        foreach (var match in Expressions().SelectMany(expression => Selectors().Matches(expression)))
        {
            var name = match.Groups["name"].Value;
            var (_, labels) = metrics[Suffixes.FirstOrDefault(suffix => !metrics.ContainsKey(name) && name.EndsWith(suffix, StringComparison.Ordinal)) is { } suffix ? name[..^suffix.Length] : name];
            Assert.All(LabelNames().Matches(match.Groups["labels"].Value), label => Assert.Contains(label.Groups["name"].Value, labels));
        }
    }

    [Fact]
    public void Alerts_HaveAPageAndWords()
    {
        var alerts = Rules().ToList();

        Assert.Equal(alerts.Select(alert => (string)alert["alert"]!).Order(StringComparer.Ordinal), Headings().Matches(Page).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal));
        Assert.All(alerts, alert => Assert.Contains((string?)alert["labels"]!["severity"], new[] { "critical", "warning", "info" }));
        Assert.All(alerts, alert => Assert.True(alert["annotations"]!["summary"] is not null && alert["annotations"]!["description"] is not null));
        Assert.All(Page.Split("\n## ")[1..], section => Assert.All(new[] { "**Means**", "**Look**", "**Do**" }, part => Assert.Contains(part, section, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task PrometheusObjects_AreOfTheirKindsShape()
    {
        var objects = (await HelmChart.ObjectsAsync("team")).Where(ObjectTests.IsPrometheus).ToList();
        var monitor = Assert.Single(objects, one => (string?)one["kind"] == "ServiceMonitor");
        var rules = Assert.Single(objects, one => (string?)one["kind"] == "PrometheusRule")["spec"]!["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray()).ToList();

        Assert.Equal(["endpoints", "selector"], Fields(monitor["spec"]));
        Assert.Equal(["interval", "path", "port"], Fields(Assert.Single(monitor["spec"]!["endpoints"]!.AsArray())));
        Assert.Equal(Rules().Count(), rules.Count);
        Assert.All(rules, rule => Assert.Empty(Fields(rule).Except(["alert", "annotations", "expr", "for", "labels"])));
        Assert.All(rules, rule => Assert.EndsWith($"alerts.md#{((string)rule!["alert"]!).ToLowerInvariant()}", (string)rule["annotations"]!["runbook_url"]!, StringComparison.Ordinal));
        Assert.All(rules, rule => Assert.Equal("ml-platform", (string?)rule!["labels"]!["team"]));
        Assert.Contains(await HelmChart.ObjectsAsync("team"), one => (string?)one["kind"] == "Service" && monitor["spec"]!["selector"]!["matchLabels"]!.AsObject().All(wanted => (string?)one["metadata"]!["labels"]![wanted.Key] == (string?)wanted.Value));
    }

    private static IEnumerable<string> Expressions() =>
    [
        .. Rules().Select(rule => (string)rule["expr"]!),
        .. JsonNode.Parse(File.ReadAllText(Path.Combine(HelmChart.Folder, "files", "dashboards", "phi-orchestrator.json")))!["panels"]!.AsArray().SelectMany(panel => panel!["targets"]!.AsArray()).Select(target => (string)target!["expr"]!),
    ];

    private static IEnumerable<JsonNode> Rules() => ManifestReader.Read(File.ReadAllText(Path.Combine(HelmChart.Folder, "files", "alerts.yaml")))[0]["groups"]!.AsArray().SelectMany(group => group!["rules"]!.AsArray()).OfType<JsonNode>();

    private static IEnumerable<string> Fields(JsonNode? value) => value!.AsObject().Select(field => field.Key).Order(StringComparer.Ordinal);

    /// <summary>What the operator's code registers, by name: the kind, and the labels.</summary>
    private static Dictionary<string, (string Kind, string[] Labels)> Metrics() => Directory.EnumerateFiles(Path.Combine(Repository.Root, "operators", "Phi.Operator"), "*.cs", SearchOption.AllDirectories)
        .SelectMany(file => Registrations().Matches(File.ReadAllText(file)))
        .ToDictionary(match => match.Groups["name"].Value, match => (match.Groups["kind"].Value, match.Groups["labels"].Value.Split([',', ' ', '"'], StringSplitOptions.RemoveEmptyEntries)), StringComparer.Ordinal);

    [GeneratedRegex("""Create(?<kind>Counter|Gauge|Histogram)\("(?<name>phi_[a-z_]+)", "[^"]*"(, \[(?<labels>[^\]]*)\])?""")]
    private static partial Regex Registrations();

    [GeneratedRegex("phi_[a-z_]+")]
    private static partial Regex Names();

    [GeneratedRegex(@"(?<name>phi_[a-z_]+)\{(?<labels>[^}]*)\}")]
    private static partial Regex Selectors();

    [GeneratedRegex("(?<name>[a-z_]+)(=~|!~|!=|=)\"")]
    private static partial Regex LabelNames();

    [GeneratedRegex("^## (?<name>\\S+)$", RegexOptions.Multiline)]
    private static partial Regex Headings();
}
