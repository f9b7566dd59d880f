using System.Text;
using System.Text.Json;
using Phi.Data;
using Phi.Data.Tokenizers;

namespace Phi.Trainer.Completions;

/// <summary>
/// Prompts, one JSON object a line: <c>{"id": "…", "prompt": "…", "stop": ["…"]}</c>. Ids differ; stop may be missing; other fields are not read,
/// nor are blank lines.
/// </summary>
internal static class PromptFile
{
    private const int MostErrors = 20;

    /// <param name="sequenceLength">Of the model: a prompt must leave room for a token.</param>
    /// <param name="most">Tokens of a longer prompt that are kept, its last ones; null: none is cut.</param>
    /// <exception cref="ArgumentException">The file cannot be read.</exception>
    /// <exception cref="DataException">Every line that is wrong.</exception>
    public static IReadOnlyList<Prompt> Read(string path, ITokenizer tokenizer, int sequenceLength, int? most = null)
    {
        var prompts = new List<Prompt>();
        var errors = new List<string>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (index, line) in Lines(path).Index())
        {
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0)
            {
                continue;
            }

            try
            {
                var prompt = Parse(line, tokenizer, sequenceLength, most);
                if (!lines.TryAdd(prompt.Id, index + 1))
                {
                    throw new DataException($"id '{prompt.Id}' is that of line {lines[prompt.Id]} too; give each prompt its own");
                }

                prompts.Add(prompt);
            }
            catch (Exception e) when (e is DataException or JsonException)
            {
                errors.Add($"{path}, line {index + 1}: {(e is JsonException ? "it is no JSON object in UTF-8; write one prompt a line" : e.Message)}");
            }
        }

        if (errors.Count > 0)
        {
            var more = errors.Count > MostErrors ? $"\n… and {errors.Count - MostErrors} more" : "";
            throw new DataException(string.Join("\n", errors.Take(MostErrors)) + more);
        }

        return prompts.Count > 0 ? prompts : throw new DataException($"{path} has no prompts; write one a line, such as {{\"id\": \"1\", \"prompt\": \"def f\"}}");
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        ReadOnlyMemory<byte> rest;
        try
        {
            rest = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"--prompts '{path}' cannot be read: {e.Message}", e);
        }

        rest = rest.Span.StartsWith(Encoding.UTF8.Preamble) ? rest[Encoding.UTF8.Preamble.Length..] : rest;
        while (!rest.IsEmpty)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            yield return end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
        }
    }

    private static Prompt Parse(ReadOnlyMemory<byte> line, ITokenizer tokenizer, int sequenceLength, int? most)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new DataException("it is no JSON object; write {\"id\": \"…\", \"prompt\": \"…\"}");
        }

        var id = Text(Field("id"), "id");
        if (id.Length == 0)
        {
            throw new DataException("id is empty; give each prompt its own");
        }

        var text = Text(Field("prompt"), "prompt");
        var tokens = new List<int>();
        tokenizer.Encode(Encoding.UTF8.GetBytes(text), tokens);
        if (tokens.Count == 0)
        {
            throw new DataException($"the prompt of '{id}' has no tokens; there is nothing to complete");
        }

        var isCut = most is { } kept && tokens.Count > kept;
        if (isCut)
        {
            tokens.RemoveRange(0, tokens.Count - most!.Value);
        }

        if (tokens.Count >= sequenceLength)
        {
            throw new DataException($"the prompt of '{id}' has {tokens.Count} tokens, and must have fewer than the model's sequence length {sequenceLength}, so that a completion has room; cut it from its left, or let --cut-prompts do so");
        }

        return new Prompt(id, text, tokens, Stops(root), isCut);

        JsonElement Field(string name) => root.TryGetProperty(name, out var value) ? value : throw new DataException($"it has no {name}; every prompt needs one");
    }

    private static List<string> Stops(JsonElement root)
    {
        if (!root.TryGetProperty("stop", out var stop) || stop.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        return stop.ValueKind == JsonValueKind.Array
            ? [.. stop.EnumerateArray().Select(item => Text(item, "stop") is { Length: > 0 } text ? text : throw new DataException("stop has an empty text, which would end every completion at once; take it out"))]
            : throw new DataException("stop is no array; write the texts that end a completion as an array, such as [\"\\ndef\"]");
    }

    private static string Text(JsonElement value, string name)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new DataException($"{name} is {value.GetRawText()}; it must be text, in quotes");
        }
        catch (InvalidOperationException)
        {
            throw new DataException($"{name} has half of a surrogate pair, which is no character; correct it");
        }
    }
}
