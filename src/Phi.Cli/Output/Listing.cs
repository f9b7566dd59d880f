using System.Text.Json.Nodes;

namespace Phi.Cli.Output;

/// <summary>A list of things in each form of <c>-o</c>: the same for every command that lists.</summary>
internal sealed class Listing<T>
{
    public required IReadOnlyList<Column<T>> Columns { get; init; }

    /// <summary>As other commands take it.</summary>
    public required Func<T, string> Name { get; init; }

    /// <summary>All of them, for programs.</summary>
    public required Func<IReadOnlyList<T>, JsonNode> Data { get; init; }

    /// <summary>What is told on standard error where there is none.</summary>
    public required string WhenEmpty { get; init; }

    public void Write(IReadOnlyList<T> items, string format, TextWriter to, TextWriter error)
    {
        switch (format)
        {
            case OutputFormat.Json or OutputFormat.Yaml:
                OutputFormat.Write(Data(items), format, to);
                break;
            case OutputFormat.Name:
                WriteNames(items, to);
                break;
            default:
                if (items.Count == 0)
                {
                    error.WriteLine(WhenEmpty);
                    break;
                }

                TextTable.Write([Header(format), .. items.Select(item => Row(item, format))], to);
                break;
        }
    }

    public string[] Header(string format) => [.. Shown(format).Select(column => column.Header)];

    public string[] Row(T item, string format) => [.. Shown(format).Select(column => column.Cell(item))];

    private void WriteNames(IReadOnlyList<T> items, TextWriter to)
    {
        foreach (var item in items.Select(Name).Distinct())
        {
            to.WriteLine(item);
        }
    }

    private IEnumerable<Column<T>> Shown(string format) => Columns.Where(column => !column.IsWide || format == OutputFormat.Wide);
}
