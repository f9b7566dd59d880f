using System.Text.Json;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>The files of a tokenizer that lie beside a model's weights, by the names that transformers gives them.</summary>
internal static class TokenizerFolder
{
    private const string Vocabulary = "vocab.json";
    private const string EndOfTextToken = "<|endoftext|>";
    private const string Description = "phi_tokenizer.json";
    private const string EndOfTextField = "endOfText";
    private const int ByteVocabulary = 257;
    private static readonly string[] Names = [Vocabulary, "merges.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", Description];

    /// <summary>Copies them, and the checkpoint's own description of the tokenizer; returns the names of the files that were there.</summary>
    public static IReadOnlyList<string> Copy(string from, string to)
    {
        var found = Names.Where(name => File.Exists(Path.Combine(from, name))).ToList();
        found.ForEach(name => File.Copy(Path.Combine(from, name), Path.Combine(to, name), overwrite: true));
        return found;
    }

    /// <summary>The token that ends a document: what the description says, else the vocabulary, else of byte tokens the one after the bytes; null if none does.</summary>
    /// <exception cref="CheckpointException">Description or vocabulary cannot be read.</exception>
    public static int? EndOfText(string folder, int vocabularySize)
    {
        var vocabulary = Path.Combine(folder, Vocabulary);
        return Number(Path.Combine(folder, Description), EndOfTextField)
            ?? (File.Exists(vocabulary) ? Number(vocabulary, EndOfTextToken)
                : vocabularySize == ByteVocabulary ? ByteVocabulary - 1
                : null);
    }

    /// <summary>Null if there is no such file, or it has no such number.</summary>
    private static int? Number(string path, string field)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.TryGetProperty(field, out var value) && value.TryGetInt32(out var number) ? number : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path} describes no tokenizer: {e.Message} Restore the file.", e);
        }
    }
}
