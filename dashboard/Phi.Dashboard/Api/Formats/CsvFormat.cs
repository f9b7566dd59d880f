using System.Globalization;
using System.Text;
using Phi.Telemetry.Series;

namespace Phi.Dashboard.Api.Formats;

/// <summary>A line for each bucket (RFC 4180); <c>lost</c> has the attempt whose lost steps it is of, or nothing. What is not known is empty.</summary>
internal sealed class CsvFormat : ISeriesFormat
{
    public const string ContentType = "text/csv";

    public string Name => "csv";

    string ISeriesFormat.ContentType => ContentType;

    public byte[] Write(SeriesAxis axis, IReadOnlyList<SeriesData> series)
    {
        var text = new StringBuilder("run,metric,rank,lost,").AppendJoin(',', SeriesFormats.Columns.Select(column => column.Name)).Append("\r\n");
        foreach (var data in series)
        {
            Write(text, data.Query, null, data.Columns);
            foreach (var lost in data.Lost)
            {
                Write(text, data.Query, lost.Attempt, lost.Columns);
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(StringBuilder text, SeriesQuery query, int? lost, SeriesColumns columns)
    {
        var start = string.Create(CultureInfo.InvariantCulture, $"{Quote(query.Run)},{Quote(query.Metric)},{query.Rank},{lost}");
        var values = SeriesFormats.Columns.Select(column => column.Values(columns)).ToList();
        for (var row = 0; row < columns.Step.Length; row++)
        {
            text.Append(start);
            foreach (var column in values)
            {
                text.Append(',');
                if (double.IsFinite(column[row]))
                {
                    text.Append(CultureInfo.InvariantCulture, $"{column[row]}");
                }
            }

            text.Append("\r\n");
        }
    }

    /// <summary>A spreadsheet takes a text that begins like a formula for one.</summary>
    private static string Quote(string text)
    {
        var safe = text.Length > 0 && "=+-@\t\r".Contains(text[0], StringComparison.Ordinal) ? "'" + text : text;
        return safe.AsSpan().IndexOfAny(",\"\r\n") < 0 ? safe : $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
