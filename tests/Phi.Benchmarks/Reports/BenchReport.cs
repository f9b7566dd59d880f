using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Phi.Benchmarks.Reports;

/// <summary>What a bench found: a table for people, one JSON object for programs.</summary>
internal sealed record BenchReport(string Bench, string Machine, IReadOnlyList<Metric> Metrics)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public void Print(IAnsiConsole console)
    {
        var table = new Table().Title(Markup.Escape($"{Bench} · {Machine}")).AddColumns("figure", "value", "unit", "target", "");
        table.Columns[1].RightAligned();
        foreach (var metric in Metrics)
        {
            table.AddRow(new[] { metric.Name, metric.Value.ToString("G4", CultureInfo.InvariantCulture), metric.Unit, metric.Target ?? "", metric.Verdict }.Select(Markup.Escape).ToArray());
        }

        console.Write(table);
    }
}
