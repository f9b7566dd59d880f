using System.Text.Json;
using Phi.Data.Shards;

namespace Phi.Data.Preparation;

/// <summary>
/// What a preparation has finished, one JSON object a line, each flushed to the disk: first the inputs, then the held-out rule and each
/// finished shard. A new rule voids the shards before it. A last line that was cut off does not count.
/// </summary>
internal sealed class PrepareJournal : IDisposable
{
    public const string FileName = "journal.jsonl";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private readonly FileStream _stream;
    private readonly List<FinishedShard> _shards = [];

    private PrepareJournal(FileStream stream, List<Line> lines)
    {
        _stream = stream;
        lines.ForEach(Take);
    }

    /// <summary>What every journal begins with: the first line is the inputs.</summary>
    private static ReadOnlySpan<byte> Start => "{\"inputs\":{\"tokenizerKind\":"u8;

    public PreparedInputs? Inputs { get; private set; }

    public HeldOutRule? Rule { get; private set; }

    public IReadOnlyList<FinishedShard> Shards => _shards;

    /// <summary>Whether the folder has a journal of a preparation. Another's file of that name is none.</summary>
    /// <exception cref="DataException">The file cannot be read.</exception>
    public static bool IsIn(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using var stream = File.OpenRead(path);
            var start = new byte[Start.Length];
            return start.AsSpan(0, stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)).SequenceEqual(Start);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message} Make it readable to this user, or name another folder.");
        }
    }

    /// <exception cref="DataException">The folder holds another's file of that name.</exception>
    public static PrepareJournal Open(string folder)
    {
        var stream = new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        if (!Start.StartsWith(bytes.AsSpan(0, Math.Min(bytes.Length, Start.Length))))
        {
            stream.Dispose();
            throw new DataException($"{stream.Name} is no journal of phi data prepare. Move it away, or name another folder.");
        }

        var lines = new List<Line>();
        var start = 0;
        for (int length; (length = bytes.AsSpan(start).IndexOf((byte)'\n')) >= 0; start += length + 1)
        {
            if (Parse(bytes.AsSpan(start, length)) is not { } line)
            {
                break;
            }

            lines.Add(line);
        }

        stream.SetLength(start);
        stream.Position = start;
        return new PrepareJournal(stream, lines);
    }

    public void Add(PreparedInputs inputs) => Append(new Line(inputs, null, null));

    public void Add(HeldOutRule rule) => Append(new Line(null, rule, null));

    public void Add(FinishedShard shard) => Append(new Line(null, null, shard));

    /// <summary>Removes a folder's journal, and nobody else's file.</summary>
    public static void Delete(string folder)
    {
        if (IsIn(folder))
        {
            File.Delete(Path.Combine(folder, FileName));
        }
    }

    public void Dispose() => _stream.Dispose();

    private static Line? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<Line>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Append(Line line)
    {
        _stream.Write([.. JsonSerializer.SerializeToUtf8Bytes(line, Json), (byte)'\n']);
        _stream.Flush(flushToDisk: true);
        Take(line);
    }

    private void Take(Line line)
    {
        Inputs = line.Inputs ?? Inputs;
        if (line.Rule is not null)
        {
            Rule = line.Rule;
            _shards.Clear();
        }

        if (line.Shard is not null)
        {
            _shards.Add(line.Shard);
        }
    }

    private sealed record Line(PreparedInputs? Inputs, HeldOutRule? Rule, FinishedShard? Shard);
}

/// <summary>A shard on the disk, and the place that the next one of its side begins at.</summary>
/// <param name="Languages">Tokens of each; null in the journals of earlier versions.</param>
internal sealed record FinishedShard(bool IsHeldOut, ShardIndex Shard, TokenPlace Next, IReadOnlyDictionary<string, long>? Languages);

/// <summary>A token of one side: the so-manieth of a document's tokens on that side. Documents are counted without duplicates.</summary>
internal readonly record struct TokenPlace(long Document, long Token);
