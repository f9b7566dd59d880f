using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Phi.LocalCluster.ApiServer.Storage;

/// <summary>
/// The store on disk: a snapshot of everything, and a journal of the changes after it, one JSON line each. A line that was cut off by
/// a crash is the last one and is dropped. The journal is folded into a new snapshot at start and whenever it has grown long.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int LinesBeforeSnapshot = 20_000;
    private const int FlushBytes = 1 << 20;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly string _snapshotPath;
    private readonly string _journalPath;
    private FileStream _journal;
    private int _lines;

    public Journal(string folder)
    {
        Directory.CreateDirectory(folder);
        _snapshotPath = Path.Combine(folder, "snapshot.json");
        _journalPath = Path.Combine(folder, "journal.jsonl");
        _journal = Open(FileMode.OpenOrCreate);
    }

    /// <summary>Replays what was written: the highest version, and every object that exists.</summary>
    public (long Version, List<(string Resource, ObjectKey Key, JsonObject Object)> Objects) Load()
    {
        var objects = new Dictionary<(string, ObjectKey), JsonObject>();
        var version = 0L;
        if (File.Exists(_snapshotPath))
        {
            var snapshot = JsonNode.Parse(File.ReadAllBytes(_snapshotPath))!.AsObject();
            version = (long)snapshot["version"]!;
            foreach (var entry in snapshot["objects"]!.AsArray())
            {
                Apply(objects, entry!.AsObject());
            }
        }

        foreach (var line in File.ReadLines(_journalPath))
        {
            if (!TryParse(line, out var entry))
            {
                break;
            }

            var at = (long)entry["version"]!;
            if (at > version)
            {
                Apply(objects, entry);
                version = at;
            }
        }

        return (version, [.. objects.Select(pair => (pair.Key.Item1, pair.Key.Item2, pair.Value))]);
    }

    public void Append(StoreEvent change)
    {
        _line.Clear();
        using (var writer = new Utf8JsonWriter(_line))
        {
            WriteEntry(writer, change.Resource, change.Key, change.Version, change.Type == StoreEventType.Deleted ? null : w => w.WriteRawValue(change.Json.Span, skipInputValidation: true));
        }

        _line.Write("\n"u8);
        _journal.Write(_line.WrittenSpan);
        _journal.Flush();
        _lines++;
    }

    /// <summary>Once the journal is long, and longer than what a snapshot would write.</summary>
    public bool WantsSnapshot(int objects) => _lines >= Math.Max(LinesBeforeSnapshot, 2 * objects);

    public void WriteSnapshot(long version, IEnumerable<(string Resource, ObjectKey Key, JsonObject Object)> objects)
    {
        var temporary = _snapshotPath + ".tmp";
        using (var stream = File.Create(temporary))
        {
            using (var writer = new Utf8JsonWriter(stream))
            {
                writer.WriteStartObject();
                writer.WriteNumber("version", version);
                writer.WriteStartArray("objects");
                foreach (var (resource, key, value) in objects)
                {
                    WriteEntry(writer, resource, key, version, w => value.WriteTo(w));
                    if (writer.BytesPending > FlushBytes)
                    {
                        writer.Flush();
                    }
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, _snapshotPath, overwrite: true);
        _journal.Dispose();
        _journal = Open(FileMode.Create);
        _lines = 0;
    }

    public void Dispose() => _journal.Dispose();

    private FileStream Open(FileMode mode)
    {
        var stream = new FileStream(_journalPath, mode, FileAccess.Write, FileShare.ReadWrite);
        stream.Seek(0, SeekOrigin.End);
        return stream;
    }

    private static bool TryParse(string line, out JsonObject entry)
    {
        try
        {
            entry = JsonNode.Parse(line)!.AsObject();
            return true;
        }
        catch (JsonException)
        {
            entry = [];
            return false;
        }
    }

    /// <param name="value">Null: the object is gone.</param>
    private static void WriteEntry(Utf8JsonWriter writer, string resource, ObjectKey key, long version, Action<Utf8JsonWriter>? value)
    {
        writer.WriteStartObject();
        writer.WriteNumber("version", version);
        writer.WriteString("resource", resource);
        writer.WriteString("namespace", key.Namespace);
        writer.WriteString("name", key.Name);
        if (value is not null)
        {
            writer.WritePropertyName("object");
            value(writer);
        }

        writer.WriteEndObject();
    }

    private static void Apply(Dictionary<(string, ObjectKey), JsonObject> objects, JsonObject entry)
    {
        var key = ((string)entry["resource"]!, new ObjectKey((string)entry["namespace"]!, (string)entry["name"]!));
        if (entry["object"] is JsonObject value)
        {
            objects[key] = value.DeepClone().AsObject();
        }
        else
        {
            objects.Remove(key);
        }
    }
}
