using System.Text.Json;
using Phi.Checkpoints.Weights;

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

    /// <summary>Hands on those that lie beside the weights, and the checkpoint's own description of the tokenizer; returns their names.</summary>
    public static IReadOnlyList<string> Copy(IModelWeights from, Action<string, byte[]> write)
    {
        var found = new List<string>();
        foreach (var name in Names)
        {
            if (from.TryReadFile(name) is { } content)
            {
                write(name, content);
                found.Add(name);
            }
        }

        return found;
    }

    /// <summary>The token that ends a document: what the description says, else the vocabulary, else of byte tokens the one after the bytes; null if none does.</summary>
    /// <exception cref="CheckpointException">Description or vocabulary cannot be read.</exception>
    public static int? EndOfText(IModelWeights weights) =>
        Number(weights, Description, EndOfTextField)
        ?? (weights.TryReadFile(Vocabulary) is not null ? Number(weights, Vocabulary, EndOfTextToken)
            : weights.Model.VocabularySize == ByteVocabulary ? ByteVocabulary - 1
            : null);

    /// <summary>Null if there is no such file, or it has no such number.</summary>
    private static int? Number(IModelWeights weights, string file, string field)
    {
        try
        {
            if (weights.TryReadFile(file) is not { } content)
            {
                return null;
            }

            using var json = JsonDocument.Parse(content);
            return json.RootElement.TryGetProperty(field, out var value) && value.TryGetInt32(out var number) ? number : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{weights.Location}/{file} describes no tokenizer: {e.Message} Restore the file.", e);
        }
    }
}
