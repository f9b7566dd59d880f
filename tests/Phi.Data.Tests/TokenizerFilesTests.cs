using System.Text.Json.Nodes;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>Tokenizers as files.</summary>
public sealed class TokenizerFilesTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_AFolderWithoutATokenizer_IsBytes() => Assert.IsType<ByteTokenizer>(TokenizerFiles.Load(_folder.Root));

    [Fact]
    public void Read_WhatWasWritten_MakesTheSameTokens()
    {
        foreach (var files in new[] { TokenizerFiles.Bytes, Vocabularies.Train(300, "low lower lowest low"), Vocabularies.Flat(TokenizerFiles.CodegenKind) })
        {
            files.Write(_folder[files.Kind]);
            var read = TokenizerFiles.Read(_folder[files.Kind]);

            Assert.Equal((files.Kind, files.Digest), (read.Kind, read.Digest));
            Assert.Equal(files.Tokenizer.Encode("lower    \t\tlow"), TokenizerFiles.Load(_folder[files.Kind]).Encode("lower    \t\tlow"));
        }
    }

    [Fact]
    public void TryRead_AFolderWithTokenizerJsonAlone_IsNull()
    {
        _folder.Write("tokenizer.json", "{}");

        Assert.Null(TokenizerFiles.TryRead(_folder.Root));
    }

    [Fact]
    public void Write_Codegen_HasTheRunsForTransformers()
    {
        Vocabularies.Flat(TokenizerFiles.CodegenKind).Write(_folder.Root);

        var added = JsonNode.Parse(File.ReadAllText(_folder["added_tokens.json"]))!.AsObject();
        var settings = JsonNode.Parse(File.ReadAllText(_folder["tokenizer_config.json"]))!;
        var decoder = settings["added_tokens_decoder"]!.AsObject();
        Assert.Equal("CodeGenTokenizer", (string)settings["tokenizer_class"]!);
        Assert.Equal(Enumerable.Range(50257, 38), added.Select(token => (int)token.Value!));
        Assert.Equal((50257, 50286, 50294), ((int)added[new string(' ', 31)]!, (int)added["  "]!, (int)added["\t\t"]!));
        Assert.Equal(new string(' ', 4), (string)decoder["50284"]!["content"]!);
        Assert.Equal((true, 39), ((bool)decoder["256"]!["special"]!, decoder.Count));
    }

    [Fact]
    public void Write_CodegenWhoseVocabularyNumbersARun_AddsTheOthersAlone()
    {
        Vocabularies.Flat(TokenizerFiles.CodegenKind, (new string(' ', 31), 300)).Write(_folder.Root);

        var added = JsonNode.Parse(File.ReadAllText(_folder["added_tokens.json"]))!.AsObject();
        Assert.Equal(Enumerable.Range(50258, 37), added.Select(token => (int)token.Value!));
        Assert.Equal(new string(' ', 31), (string)JsonNode.Parse(File.ReadAllText(_folder["tokenizer_config.json"]))!["added_tokens_decoder"]!["300"]!["content"]!);
    }

    [Fact]
    public void Read_FilesThatChanged_AreNoticed()
    {
        Vocabularies.Train(300, "low lower low").Write(_folder.Root);
        File.AppendAllText(_folder["merges.txt"], "a b\n");

        Assert.Contains("They changed", Assert.Throws<DataException>(() => TokenizerFiles.Read(_folder.Root)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("words", "none of bytes, codegen:DIR, bpe:DIR")]
    [InlineData("bpe:", "none of bytes, codegen:DIR, bpe:DIR")]
    [InlineData("words:/tmp", "none of bytes, codegen, bpe")]
    [InlineData("bpe:/nowhere", "/nowhere/vocab.json")]
    public void Parse_WhatIsNoTokenizer_SaysWhatToWrite(string option, string expected) =>
        Assert.Contains(expected, Assert.Throws<DataException>(() => TokenizerFiles.Parse(option)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("[1]", "", "no JSON object")]
    [InlineData("""{"a":1,"b":1}""", "", "a number of its own")]
    [InlineData("""{"a":-1}""", "", "a number of its own")]
    [InlineData("""{"a":1}""", "", "<|endoftext|>")]
    [InlineData("""{"<|endoftext|>":1}""", "", "no token for the byte 0")]
    [InlineData(null, "#version: 0.2\na b\n", "merges.txt line 2")]
    [InlineData(null, "abc\n", "merges.txt line 1")]
    public void Tokenizer_OfDamagedFiles_NamesThePlace(string? vocabulary, string merges, string expected)
    {
        Vocabularies.Flat(TokenizerFiles.BpeKind).Write(_folder.Root);
        if (vocabulary is not null)
        {
            _folder.Write("vocab.json", vocabulary);
        }

        _folder.Write("merges.txt", merges);

        Assert.Contains(expected, Assert.Throws<DataException>(() => TokenizerFiles.FromFolder(TokenizerFiles.BpeKind, _folder.Root).Tokenizer).Message, StringComparison.Ordinal);
    }
}
