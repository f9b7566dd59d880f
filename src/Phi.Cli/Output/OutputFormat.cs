using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Phi.Api.Manifests;
using Phi.Api.Metadata;

namespace Phi.Cli.Output;

/// <summary>The forms of <c>-o</c>. A listing has all of them, a report text, json and yaml.</summary>
internal static class OutputFormat
{
    public const string Table = "table";
    public const string Wide = "wide";
    public const string Json = "json";
    public const string Yaml = "yaml";
    public const string Name = "name";
    public const string Text = "text";

    // For people, as kubectl writes it: '<' and 'é' are themselves.
    private static readonly JsonSerializerOptions Indented = new(PhiJson.Options) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For what lists things.</summary>
    public static Option<string> Listing() => Of(Table, Table, Wide, Json, Yaml, Name);

    /// <summary>For what tells of one thing.</summary>
    public static Option<string> Report() => Of(Text, Text, Json, Yaml);

    public static Option<string> Of(string standard, params string[] formats)
    {
        var option = new Option<string>("--output", "-o") { Description = $"{string.Join(", ", formats[..^1])} or {formats[^1]}.", DefaultValueFactory = _ => standard };
        option.AcceptOnlyFromAmong(formats);
        return option;
    }

    /// <summary>For reports: everything that a program reads is on standard output, and nothing else is.</summary>
    /// <param name="to">Null: standard output.</param>
    public static void Print<T>(T report, string? format, Action<T, TextWriter> text, Func<object>? data = null, TextWriter? to = null)
    {
        to ??= Console.Out;
        if (format is Json or Yaml)
        {
            Write(Node(data?.Invoke() ?? report!), format, to);
        }
        else
        {
            text(report, to);
        }
    }

    /// <param name="format">json or yaml.</param>
    public static void Write(JsonNode value, string format, TextWriter to)
    {
        if (format == Yaml)
        {
            to.Write(YamlText.Write(value));
        }
        else
        {
            to.WriteLine(value.ToJsonString(Indented));
        }
    }

    public static JsonNode Node(object value) => value as JsonNode ?? JsonSerializer.SerializeToNode(value, value.GetType(), PhiJson.Options)!;
}
