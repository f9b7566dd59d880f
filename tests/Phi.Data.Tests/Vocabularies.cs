using System.Text;
using System.Text.Json;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>Tokenizers made for a test.</summary>
internal static class Vocabularies
{
    /// <summary>Trained on the texts, through the files as a job would read them.</summary>
    public static TokenizerFiles Train(int size, params IEnumerable<string> texts)
    {
        using var folder = new TestFolder();
        Train(folder.Root, size, texts.Select(Encoding.UTF8.GetBytes));
        return TokenizerFiles.FromFolder(TokenizerFiles.BpeKind, folder.Root);
    }

    public static int Train(string folder, int size, IEnumerable<byte[]> texts)
    {
        var trainer = new BpeTrainer();
        foreach (var text in texts)
        {
            trainer.Add(text);
        }

        return trainer.Write(size, folder, _ => { }, CancellationToken.None);
    }

    public static TokenizerFiles Codegen()
    {
        using var folder = new TestFolder();
        return TokenizerFiles.FromFiles(TokenizerFiles.CodegenKind, folder.Write("v", Gpt2.Vocabulary), folder.Write("m", Gpt2.Merges));
    }

    /// <summary>The 256 bytes, the end of text, and others; no merges.</summary>
    public static TokenizerFiles Flat(string kind, params (string Text, int Number)[] others)
    {
        using var folder = new TestFolder();
        var numbers = Enumerable.Range(0, 256).ToDictionary(value => ByteAlphabet.ToText([(byte)value]), value => value, StringComparer.Ordinal);
        numbers.Add("<|endoftext|>", 256);
        foreach (var (text, number) in others)
        {
            numbers.Add(text, number);
        }

        return TokenizerFiles.FromFiles(kind, folder.Write("v", JsonSerializer.SerializeToUtf8Bytes(numbers)), folder.Write("m", "#version: 0.2\n"));
    }

    public static List<int> Encode(this ITokenizer tokenizer, string text) => tokenizer.Encode(Encoding.UTF8.GetBytes(text));

    public static List<int> Encode(this ITokenizer tokenizer, byte[] text)
    {
        var tokens = new List<int>();
        tokenizer.Encode(text, tokens);
        return tokens;
    }

    public static byte[] Decode(this ITokenizer tokenizer, IEnumerable<int> tokens)
    {
        var text = new List<byte>();
        tokenizer.Decode(tokens, text);
        return [.. text];
    }
}
