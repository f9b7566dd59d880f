using System.Text.Json.Nodes;
using Phi.Cli.Commands;
using Phi.Cli.Resources;

namespace Phi.Cli.Output;

/// <summary>A list and its changes, a line or a document each; columns stay as wide as they have been.</summary>
internal sealed class WatchOutput<T>(ResourceReader reader, GetRequest request, Func<JsonObject, T> row, Func<string?, DateTimeOffset, Listing<T>> listing)
    where T : ResourceRow
{
    private int[] _widths = [];

    /// <summary>Runs until it is cancelled, which is how a person ends it.</summary>
    public async Task RunAsync(IReadOnlyList<T> rows, string version, CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow();
        var isTable = request.Format is OutputFormat.Table or OutputFormat.Wide;
        if (isTable)
        {
            var shown = listing(request.Namespace, now);
            _widths = TextTable.Widths([shown.Header(request.Format), .. rows.Select(one => shown.Row(one, request.Format))]);
            Console.WriteLine(TextTable.Line(shown.Header(request.Format), _widths));
        }

        foreach (var one in rows)
        {
            Write(one, isTable);
        }

        var name = request.Names.Count == 1 ? request.Names[0] : null;
        await foreach (var value in reader.WatchAsync(request.Namespace, name, version, ct))
        {
            var changed = row(value);
            if (request.Names.Count == 0 || request.Names.Contains(changed.Name))
            {
                Write(changed, isTable);
            }
        }
    }

    private void Write(T one, bool isTable)
    {
        var shown = listing(request.Namespace, TimeProvider.System.GetUtcNow());
        if (isTable)
        {
            var cells = shown.Row(one, request.Format);
            _widths = [.. _widths.Zip(cells, (width, cell) => Math.Max(width, cell.Length))];
            Console.WriteLine(TextTable.Line(cells, _widths));
        }
        else if (request.Format == OutputFormat.Name)
        {
            Console.WriteLine(shown.Name(one));
        }
        else
        {
            if (request.Format == OutputFormat.Yaml)
            {
                Console.WriteLine("---");
            }

            OutputFormat.Write(KubernetesList.One(one.Value), request.Format, Console.Out);
        }
    }
}
