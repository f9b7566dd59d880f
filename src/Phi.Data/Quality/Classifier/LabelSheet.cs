using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Phi.Data.Sources;

namespace Phi.Data.Quality.Classifier;

/// <summary>
/// A file of labels: JSON Lines of <c>id</c>, <c>name</c>, <c>label</c> and <c>text</c>, one line a document. It is rewritten whole, by a rename: whatever
/// ends a session, no label is lost.
/// </summary>
public sealed class LabelSheet
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<LabelledDocument> _documents = [];
    private readonly Dictionary<string, (int Index, long Line)> _places = new(StringComparer.Ordinal);

    public IReadOnlyList<LabelledDocument> Documents => _documents;

    /// <exception cref="DataException">The file cannot be read, a line is wrong, or two lines disagree.</exception>
    public static LabelSheet Read(string path)
    {
        var sheet = new LabelSheet();
        try
        {
            using var stream = File.OpenRead(path);
            var lines = new LineReader(stream);
            while (lines.TryRead(out var line))
            {
                if (lines.Number == 1 && line.StartsWith("\uFEFF"u8))
                {
                    line = line[3..];
                }

                if (!line.Trim(" \t\r"u8).IsEmpty)
                {
                    sheet.Take(LabelLine.Parse(line, path, lines.Number), path, lines.Number);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new DataException($"the labels {path} cannot be read: {e.Message} Name a file of phi data label.");
        }

        return sheet;
    }

    /// <summary>Labels what it has of the same texts, and adds the others that have a label.</summary>
    /// <returns>Labels that were taken over.</returns>
    /// <exception cref="DataException">Both have a label for a text, and not the same.</exception>
    public int Import(LabelSheet from, string name)
    {
        var taken = 0;
        foreach (var one in from.Documents.Where(one => one.Label is not null))
        {
            if (!_places.TryGetValue(one.Id, out var place))
            {
                Add(one);
            }
            else if (_documents[place.Index].Label is { } label && label != one.Label)
            {
                throw new DataException($"{name} calls {one.Name} ({one.Id}) {one.Label}, and it is labelled {label} already. Decide, and change one of the two.");
            }
            else if (_documents[place.Index].Label == one.Label)
            {
                continue;
            }
            else
            {
                Label(place.Index, one.Label);
            }

            taken++;
        }

        return taken;
    }

    /// <summary>Adds a document unless its text is there already.</summary>
    public void Add(LabelledDocument document)
    {
        if (_places.TryAdd(document.Id, (_documents.Count, 0)))
        {
            _documents.Add(document);
        }
    }

    public bool Contains(string id) => _places.ContainsKey(id);

    /// <param name="label">good, bad or skip; null takes the label away.</param>
    public void Label(int index, string? label) => _documents[index] = _documents[index] with { Label = label };

    /// <summary>Creates the folder if need be.</summary>
    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using (var stream = File.Create(path + ".tmp"))
        {
            foreach (var document in _documents)
            {
                JsonSerializer.Serialize(stream, document, Json);
                stream.WriteByte((byte)'\n');
            }

            stream.Flush(flushToDisk: true);
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }

    private void Take(LabelledDocument document, string path, long line)
    {
        if (!_places.TryGetValue(document.Id, out var place))
        {
            _places.Add(document.Id, (_documents.Count, line));
            _documents.Add(document);
        }
        else if (_documents[place.Index].Label is { } before && document.Label is { } label && before != label)
        {
            throw new DataException($"{path} line {place.Line} calls a text {before}, and line {line} calls the same text {label}. Decide, and remove one of the lines.");
        }
        else if (_documents[place.Index].Label is null)
        {
            Label(place.Index, document.Label);
        }
    }
}
