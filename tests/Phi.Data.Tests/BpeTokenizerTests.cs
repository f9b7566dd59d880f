using System.Text;
using CsCheck;
using Microsoft.ML.Tokenizers;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>Encoding and decoding, against Microsoft.ML.Tokenizers where that reads the same text.</summary>
public sealed class BpeTokenizerTests
{
    private static readonly string Code = string.Concat(Enumerable.Range(0, 200).Select(i =>
        $"class Thing{i % 9}:\n    def run_{i}(self, x=None):\n\t\tif x is not None and x['k{i}'] >= {i * 37}:\n            return self.größe + '日本' * {i}  # it's done\n\n"));

    private static readonly ITokenizer Trained = Vocabularies.Train(600, Code).Tokenizer;
    private static readonly ITokenizer Codegen = Vocabularies.Codegen().Tokenizer;

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf([.. Code.Split(' ').Distinct()]),
        Gen.OneOf(" ", "  ", "    ", "\t", "\t\t\t", "\n", "'ll", "é", "日", " 12"),
        Gen.Int[2, 70].Select(count => new string(' ', count)),
        Gen.Int[2, 25].Select(count => new string('\t', count)),
        Gen.Char.Where(c => !char.IsSurrogate(c)).Select(c => c.ToString())).Array[0, 30].Select(string.Concat);

    [Fact]
    public void Decode_OfWhatWasEncoded_IsTheText_WhateverTheBytes()
    {
        foreach (var tokenizer in new[] { new ByteTokenizer(), Trained, Codegen })
        {
            Gen.OneOf(Gen.Byte.Array[0, 80], Texts.Select(Encoding.UTF8.GetBytes)).Sample(
                text =>
                {
                    var tokens = tokenizer.Encode(text);
                    Assert.Equal(text, tokenizer.Decode(tokens));
                    Assert.All(tokens, token => Assert.InRange(token, 0, tokenizer.VocabularySize - 1));
                },
                iter: 2000);
        }
    }

    [Fact]
    public void Encode_WithGpt2sVocabulary_IsWhatMicrosoftsCodegenMakesOfIt()
    {
        var reference = CodeGenTokenizer.Create(new MemoryStream(Gpt2.Vocabulary), new MemoryStream(Gpt2.Merges));

        Texts.Sample(text => Assert.Equal(reference.EncodeToIds(text), Codegen.Encode(text)), iter: 3000);
    }

    [Fact]
    public void Encode_WithATrainedVocabulary_IsWhatMicrosoftsBpeMakesOfIt()
    {
        using var folder = new TestFolder();
        Vocabularies.Train(folder.Root, 600, [Encoding.UTF8.GetBytes(Code)]);
        var reference = Microsoft.ML.Tokenizers.BpeTokenizer.Create(new BpeOptions(folder["vocab.json"], folder["merges.txt"])
        {
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new System.Text.RegularExpressions.Regex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"), null),
        });

        Texts.Sample(text => Assert.Equal(reference.EncodeToIds(text), Trained.Encode(text)), iter: 3000);
    }

    [Fact]
    public void Encode_WithGpt2sVocabulary_HasTheNumbersOfCodegen()
    {
        Assert.Equal((50295, 50256), (Codegen.VocabularySize, Codegen.EndOfText));
        Assert.Equal([4299, 23748, 62, 6894, 33529], Codegen.Encode("def hello_world():"));
        Assert.Equal([50257], Codegen.Encode(new string(' ', 31)));
        Assert.Equal([50257, 220], Codegen.Encode(new string(' ', 32)));
        Assert.Equal([50286], Codegen.Encode("  "));
        Assert.Equal([50287, 50294], Codegen.Encode(new string('\t', 11)));
        Assert.Equal([198, 50284, 7783], Codegen.Encode("\n    return"));
    }

    [Fact]
    public void Encode_WhereTheVocabularyNumbersTheRunsItself_UsesItsNumbers()
    {
        var runs = Enumerable.Range(2, 30).Select(length => (new string(' ', length), 300 + length)).Concat(Enumerable.Range(2, 8).Select(length => (new string('\t', length), 400 + length)));

        var tokenizer = Vocabularies.Flat(TokenizerFiles.CodegenKind, [.. runs]).Tokenizer;

        Assert.Equal(410, tokenizer.VocabularySize);
        Assert.Equal([331, 302, 409, 'x'], tokenizer.Encode(new string(' ', 33) + new string('\t', 9) + "x"));
        Assert.Equal(new string(' ', 33), Encoding.UTF8.GetString(tokenizer.Decode([331, 302])));
    }

    [Fact]
    public void Encode_WhereTheVocabularyLacksTheRuns_UsesCodegensNumbers() =>
        Assert.Equal([50284, 'x', 50294, ' ', 'y'], Vocabularies.Flat(TokenizerFiles.CodegenKind).Tokenizer.Encode("    x\t\t y"));

    [Fact]
    public void Encode_BpeWithoutRuns_LeavesSpacesToTheMerges() => Assert.Equal([' ', ' ', 'x'], Vocabularies.Flat(TokenizerFiles.BpeKind).Tokenizer.Encode("  x"));

    [Fact]
    public void Tokenizer_OfAVocabularyThatGivesARunsNumberAway_IsRefused() =>
        Assert.Contains("Use bpe", Assert.Throws<DataException>(() => Vocabularies.Flat(TokenizerFiles.CodegenKind, ("other", 50260)).Tokenizer).Message, StringComparison.Ordinal);

    [Fact]
    public void Encode_TheNameOfTheEndOfText_IsTextLikeAnyOther()
    {
        foreach (var tokenizer in new[] { Trained, Codegen })
        {
            var tokens = tokenizer.Encode("a<|endoftext|>b");

            Assert.DoesNotContain(tokenizer.EndOfText, tokens);
            Assert.Equal("a<|endoftext|>b", Encoding.UTF8.GetString(tokenizer.Decode([.. tokens, tokenizer.EndOfText, 70000])));
        }
    }

    [Fact]
    public void Encode_AWordOfAMegabyte_EndsSoon()
    {
        var word = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("class", 200_000)));

        Assert.Equal(word, Trained.Decode(Trained.Encode(word)));
    }

    [Fact]
    public void Encode_OnSeveralThreads_IsTheSame()
    {
        var expected = Trained.Encode(Code);

        Parallel.For(0, 32, _ => Assert.Equal(expected, Trained.Encode(Code)));
    }
}
