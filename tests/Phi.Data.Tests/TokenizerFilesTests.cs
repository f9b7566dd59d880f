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
