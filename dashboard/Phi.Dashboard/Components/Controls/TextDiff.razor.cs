using DiffPlex.DiffBuilder;
using DiffPlex.DiffBuilder.Model;
using Microsoft.AspNetCore.Components;

namespace Phi.Dashboard.Components.Controls;

/// <summary>Which lines of one text are not in another, with a few lines around.</summary>
public sealed partial class TextDiff : ComponentBase
{
    private const int Around = 3;
    private IReadOnlyList<Line> _lines = [];
    private (string Old, string New) _texts;

    [Parameter, EditorRequired]
    public required string Label { get; set; }

    [Parameter, EditorRequired]
    public required string Old { get; set; }

    [Parameter, EditorRequired]
    public required string New { get; set; }

    /// <summary>What is said where both are the same.</summary>
    [Parameter]
    public string Same { get; set; } = "There is no difference.";

    protected override void OnParametersSet()
    {
        if (_texts != (Old, New))
        {
            (_texts, _lines) = ((Old, New), Compare(Old, New));
        }
    }

    private static List<Line> Compare(string old, string @new)
    {
        var pieces = InlineDiffBuilder.Diff(old, @new).Lines;
        var changed = pieces.Index().Where(piece => piece.Item.Type != ChangeType.Unchanged).Select(piece => piece.Index).ToList();
        var lines = new List<Line>();
        var last = -1;
        foreach (var (i, piece) in pieces.Index().Where(piece => changed.Exists(at => Math.Abs(at - piece.Index) <= Around)))
        {
            if (i > last + 1)
            {
                lines.Add(new Line("phi-diff-gap", "", " ", "…"));
            }

            lines.Add(piece.Type switch
            {
                ChangeType.Inserted => new Line("phi-diff-new", "new: ", "+", piece.Text),
                ChangeType.Deleted => new Line("phi-diff-old", "gone: ", "-", piece.Text),
                _ => new Line("", "", " ", piece.Text),
            });
            last = i;
        }

        return lines;
    }

    /// <param name="Word">Instead of the sign, for those who hear the page.</param>
    private sealed record Line(string Class, string Word, string Sign, string Text);
}
