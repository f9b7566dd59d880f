using System.Text.Json;

namespace Phi.Data.Tokenizers;

/// <summary>
/// What transformers needs beside <c>vocab.json</c> and <c>merges.txt</c>: the tokenizer's class, and codegen's tokens for runs of spaces and tabs, which
/// are in neither. <c>tokenizer_config.json</c> lists them for transformers 4.34 and newer, <c>added_tokens.json</c> for older ones.
/// </summary>
internal static class TransformersFiles
{
    public const string SettingsName = "tokenizer_config.json";
    public const string AddedName = "added_tokens.json";
    private const string ClassField = "tokenizer_class";
    private const string CodegenClass = "CodeGenTokenizer";
    private const string BpeClass = "GPT2Tokenizer";
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public static IReadOnlyList<(string Name, byte[] Content)> Of(BpeTokenizer tokenizer)
    {
        if (tokenizer.Runs is not { } runs)
        {
            return [(SettingsName, JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { [ClassField] = BpeClass }, Json))];
        }

        var decoder = new Dictionary<string, object>();
        foreach (var (text, number) in runs.Tokens.Append((BpeVocabulary.EndOfTextText, tokenizer.EndOfText)).OrderBy(token => token.Item2))
        {
            var isSpecial = number == tokenizer.EndOfText;
            decoder[FormattableString.Invariant($"{number}")] = new { content = text, lstrip = false, normalized = !isSpecial, rstrip = false, single_word = false, special = isSpecial };
        }

        var settings = new Dictionary<string, object> { [ClassField] = CodegenClass, ["added_tokens_decoder"] = decoder };
        return
        [
            (SettingsName, JsonSerializer.SerializeToUtf8Bytes(settings, Json)),
            (AddedName, JsonSerializer.SerializeToUtf8Bytes(runs.Added.OrderBy(token => token.Number).ToDictionary(token => token.Text, token => token.Number), Json)),
        ];
    }

    /// <summary>Whether the vocabulary is codegen's; bpe where nothing says.</summary>
    /// <param name="place">What holds the settings, as messages name it.</param>
    /// <param name="settings">The contents of <c>tokenizer_config.json</c>; null if there is none.</param>
    /// <exception cref="DataException">The settings cannot be read.</exception>
    public static string Kind(string place, byte[]? settings)
    {
        try
        {
            using var json = JsonDocument.Parse(settings ?? "{}"u8.ToArray());
            return json.RootElement.TryGetProperty(ClassField, out var name) && name.GetString()?.StartsWith(CodegenClass, StringComparison.Ordinal) == true ? TokenizerFiles.CodegenKind : TokenizerFiles.BpeKind;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new DataException($"{place}/{SettingsName} does not describe a tokenizer: {e.Message} Restore the file.");
        }
    }
}
