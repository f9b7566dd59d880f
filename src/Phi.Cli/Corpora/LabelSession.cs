using System.Globalization;
using Phi.Cli.Output;
using Phi.Data.Quality.Classifier;

namespace Phi.Cli.Corpora;

/// <summary>Shows the unlabelled documents of a sheet one by one and takes a key for each. The file is saved after every key.</summary>
internal sealed class LabelSession(LabelSheet sheet, string path, TextWriter to)
{
    private const int MostCharacters = 160;
    private const int LinesOfAPage = 40;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);
    private readonly Stack<int> _labelled = new();

    /// <summary>A key of the terminal, or a character of standard input where that is none; null at its end.</summary>
    public static async Task<char?> KeyAsync(CancellationToken cancellationToken)
    {
        if (Console.IsInputRedirected)
        {
            var one = new char[1];
            return await Console.In.ReadAsync(one.AsMemory(), cancellationToken) == 1 ? one[0] : null;
        }

        // Reading a key cannot be interrupted; waiting for one can.
        while (!Console.KeyAvailable)
        {
            await Task.Delay(Poll, cancellationToken);
        }

        return Console.ReadKey(intercept: true).KeyChar;
    }

    /// <summary>Until all are labelled, the input ends or the user quits.</summary>
    /// <param name="key">Gives the next key; null at the end.</param>
    public async Task RunAsync(Func<CancellationToken, Task<char?>> key, CancellationToken cancellationToken)
    {
        while (Next() is { } index)
        {
            var lines = sheet.Documents[index].Text.Split('\n');
            var shown = Show(index, lines, 0);
            while (true)
            {
                var pressed = await key(cancellationToken);
                if (pressed is null || char.ToLowerInvariant(pressed.Value) == 'q')
                {
                    return;
                }

                if (char.ToLowerInvariant(pressed.Value) == 'm')
                {
                    shown = Show(index, lines, shown < lines.Length ? shown : 0);
                }
                else if (IsTaken(char.ToLowerInvariant(pressed.Value), index))
                {
                    break;
                }
                else if (!char.IsWhiteSpace(pressed.Value))
                {
                    to.WriteLine("g good, b bad, s skip, u undo, m more, q quit");
                }
            }
        }
    }

    private int? Next() => sheet.Documents.Index().Where(one => one.Item.Label is null).Select(one => (int?)one.Index).FirstOrDefault();

    private bool IsTaken(char key, int index)
    {
        if (key == 'u' && _labelled.TryPop(out var before))
        {
            sheet.Label(before, null);
        }
        else if (key switch { 'g' => LabelledDocument.Good, 'b' => LabelledDocument.Bad, 's' => LabelledDocument.Skip, _ => null } is { } label)
        {
            sheet.Label(index, label);
            _labelled.Push(index);
        }
        else
        {
            return false;
        }

        sheet.Save(path);
        return true;
    }

    /// <returns>Lines shown so far.</returns>
    private int Show(int index, string[] lines, int from)
    {
        var until = Math.Min(lines.Length, from + LinesOfAPage);
        to.WriteLine();
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"--- {sheet.Documents.Count(one => one.Label is not null) + 1} of {sheet.Documents.Count}: {Printable.Line(sheet.Documents[index].Name)}"));
        foreach (var line in lines[from..until])
        {
            var text = line.TrimEnd('\r');
            to.WriteLine(Printable.Line(text.Length > MostCharacters ? text[..MostCharacters] + "…" : text));
        }

        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"--- lines {from + 1} to {until} of {lines.Length}. g good, b bad, s skip, u undo, m more, q quit"));
        return until;
    }
}
