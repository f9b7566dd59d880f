using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Phi.Data;

namespace Phi.Trainer.Completions;

/// <summary>
/// The output: a line for each completion, in the order in which they were done. Beside it, in <c>FILE.settings.json</c>, is what they depend
/// on; it is written before the first line. One process at a time has the file.
/// </summary>
internal sealed class CompletionFile : IDisposable
{
    private const string SettingsSuffix = ".settings.json";
    private static readonly JsonSerializerOptions Settings = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Line = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly ArrayBufferWriter<byte> _line = new();

    private CompletionFile(string path, FileStream stream) => (_path, _stream) = (path, stream);

    /// <summary>Makes the file if it is not there.</summary>
    /// <exception cref="ArgumentException">It cannot be written, or another process has it.</exception>
    public static CompletionFile Open(string path)
    {
        try
        {
            return new CompletionFile(path, new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"--output '{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Goes on behind what is there, without a torn last line: the completions that need not be made again.</summary>
    /// <exception cref="DataException">What is there was made with other settings, or is not ours.</exception>
    public IReadOnlySet<(string Id, int Sample)> Continue(CompletionSettings settings, IReadOnlyList<Prompt> prompts)
    {
        if (_stream.Length == 0)
        {
            Write(settings);
            return new HashSet<(string, int)>();
        }

        Check(settings);
        var content = new byte[_stream.Length];
        _stream.ReadExactly(content);
        var end = content.AsSpan().LastIndexOf((byte)'\n') + 1;
        var done = Read(content.AsMemory(0, end), prompts.Select(prompt => prompt.Id).ToHashSet(StringComparer.Ordinal));
        if (end < content.Length)
        {
            _stream.SetLength(end);
        }

        _stream.Position = end;
        return done;
    }

    /// <summary>The line is the operating system's when the call returns.</summary>
    public void Append(Completion completion)
    {
        _line.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_line, Line))
        {
            json.WriteStartObject();
            json.WriteString("id", completion.Id);
            json.WriteNumber("sample", completion.Sample);
            json.WriteString("completion", completion.Text);
            json.WriteNumber("tokens", completion.Tokens);
            json.WriteString("finish", completion.Finish);
            json.WriteEndObject();
        }

        _line.Write("\n"u8);
        _stream.Write(_line.WrittenSpan);
        _stream.Flush();
    }

    public void Dispose() => _stream.Dispose();

    private void Write(CompletionSettings settings)
    {
        var path = _path + SettingsSuffix;
        File.WriteAllText(path + ".tmp", JsonSerializer.Serialize(settings, Settings) + "\n");
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private void Check(CompletionSettings settings)
    {
        CompletionSettings? made;
        try
        {
            made = JsonSerializer.Deserialize<CompletionSettings>(File.ReadAllBytes(_path + SettingsSuffix), Settings);
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DataException($"'{_path}' holds lines, and '{_path}{SettingsSuffix}', which says what they were made with, cannot be read: {e.Message} Restore it, or name another --output.");
        }

        List<string> differences = made is null ? ["nothing that it says"] : [.. settings.DifferencesFrom(made)];
        if (differences.Count > 0)
        {
            throw new DataException($"'{_path}' was made with {string.Join("; ", differences)}. Give the same, or name another --output.");
        }
    }

    private HashSet<(string Id, int Sample)> Read(ReadOnlyMemory<byte> content, HashSet<string> ids)
    {
        var done = new HashSet<(string, int)>();
        for (var number = 1; !content.IsEmpty; number++)
        {
            var end = content.Span.IndexOf((byte)'\n');
            if (KeyOf(content[..end]) is not { } key || !ids.Contains(key.Id) || !done.Add(key))
            {
                throw new DataException($"{_path}, line {number}: it is no completion of a prompt, or one that an earlier line has; take it out, or name another --output");
            }

            content = content[(end + 1)..];
        }

        return done;
    }

    private static (string Id, int Sample)? KeyOf(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            return root.GetProperty("completion").ValueKind == JsonValueKind.String && root.GetProperty("id").GetString() is { } id ? (id, root.GetProperty("sample").GetInt32()) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}
