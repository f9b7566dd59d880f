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
        var line = JsonSerializer.SerializeToUtf8Bytes(Entry(change.Resource, change.Key, change.Type == StoreEventType.Deleted ? null : change.Object, change.Version));
        _journal.Write(line);
        _journal.WriteByte((byte)'\n');
        _journal.Flush();
        _lines++;
    }

    public bool WantsSnapshot => _lines >= LinesBeforeSnapshot;

    public void WriteSnapshot(long version, IEnumerable<(string Resource, ObjectKey Key, JsonObject Object)> objects)
    {
        var snapshot = new JsonObject
        {
            ["version"] = version,
            ["objects"] = new JsonArray([.. objects.Select(o => Entry(o.Resource, o.Key, o.Object, version))]),
        };
        var temporary = _snapshotPath + ".tmp";
        using (var stream = File.Create(temporary))
        {
            JsonSerializer.Serialize(stream, snapshot);
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

    private static JsonObject Entry(string resource, ObjectKey key, JsonObject? value, long version) => new()
    {
        ["version"] = version,
        ["resource"] = resource,
        ["namespace"] = key.Namespace,
        ["name"] = key.Name,
        ["object"] = value?.DeepClone(),
    };

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
