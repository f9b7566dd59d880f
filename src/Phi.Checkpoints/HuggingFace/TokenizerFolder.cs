using System.Text.Json;

namespace Phi.Checkpoints.HuggingFace;

/// <summary>The files of a tokenizer that lie beside a model's weights, by the names that transformers gives them.</summary>
internal static class TokenizerFiles
{
    private const string Vocabulary = "vocab.json";
    private const string EndOfTextToken = "<|endoftext|>";
    private const int ByteVocabulary = 257;
    private static readonly string[] Names = [Vocabulary, "merges.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "phi_tokenizer.json"];

    /// <summary>Copies them, and the checkpoint's own description of the tokenizer; returns the names of the files that were there.</summary>
    public static IReadOnlyList<string> Copy(string from, string to)
    {
        var found = Names.Where(name => File.Exists(Path.Combine(from, name))).ToList();
        found.ForEach(name => File.Copy(Path.Combine(from, name), Path.Combine(to, name), overwrite: true));
        return found;
    }

    /// <summary>The token that ends a document: the vocabulary's, or of byte tokens the one after the bytes; null if neither says.</summary>
    /// <exception cref="CheckpointException">The vocabulary cannot be read.</exception>
    public static int? EndOfText(string folder, int vocabularySize)
    {
        var path = Path.Combine(folder, Vocabulary);
        if (!File.Exists(path))
        {
            return vocabularySize == ByteVocabulary ? ByteVocabulary - 1 : null;
        }

        try
        {
            using var vocabulary = JsonDocument.Parse(File.ReadAllBytes(path));
            return vocabulary.RootElement.TryGetProperty(EndOfTextToken, out var token) && token.TryGetInt32(out var id) ? id : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{path} is no vocabulary: {e.Message}", e);
        }
    }
}
