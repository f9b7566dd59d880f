using System.Text;
using Phi.Data.Tokenizers;
using Phi.Trainer.Completions;

namespace Phi.Trainer.Tests.Completions;

/// <summary>Where a completion ends, and its text where tokens end within characters.</summary>
public sealed class CompletionTextTests
{
    [Theory]
    [InlineData("return 1\n\ndef g", "return 1\n", "\ndef", "\nclass")]
    [InlineData("a\nclass", "a", "\ndef", "\nclass")]
    [InlineData("\ndef", "", "\ndef")]
    [InlineData("aab", "a", "ab")]
    [InlineData("abcabd", "abc", "abd")]
    [InlineData("naïve é", "naïve ", "é")]
    [InlineData("xyz", "x", "yz", "xyzzy")]
    [InlineData("x😀", "x", "😀")]
    public void Add_OneByteATime_StopsAtTheFirstStopAndCutsBeforeIt(string text, string expected, params string[] stops)
    {
        var completion = new CompletionText(new ByteTokenizer(), stops);
        var bytes = Encoding.UTF8.GetBytes(text);

        Assert.All(bytes[..^1], value => Assert.False(completion.Add(value)));
        Assert.True(completion.Add(bytes[^1]));
        Assert.Equal(expected, completion.ToString());
    }

    [Fact]
    public void Add_TokenWithSeveralStops_CutsBeforeTheFirst()
    {
        var trainer = new BpeTrainer();
        trainer.Add(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("xyyz ", 9))));
        var folder = Directory.CreateTempSubdirectory("phi-bpe").FullName;
        trainer.Write(270, folder, _ => { }, CancellationToken.None);
        var tokenizer = TokenizerFiles.FromFolder(TokenizerFiles.BpeKind, folder).Tokenizer;
        Directory.Delete(folder, recursive: true);
        var tokens = new List<int>();
        tokenizer.Encode("xyyz"u8, tokens);
        var completion = new CompletionText(tokenizer, ["z", "yy"]);

        Assert.True(completion.Add(Assert.Single(tokens)));
        Assert.Equal("x", completion.ToString());
    }

    [Fact]
    public void ToString_CharactersOverSeveralTokens_AreWhole()
    {
        var completion = new CompletionText(new ByteTokenizer(), []);
        foreach (var value in Encoding.UTF8.GetBytes("é😀."))
        {
            Assert.False(completion.Add(value));
            Assert.DoesNotContain("�", completion.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal("é😀.", completion.ToString());
        completion.Add(0xF0);
        completion.Add(0x9F);
        Assert.Equal("é😀.", completion.ToString());
        completion.Add('a');
        Assert.Equal("é😀.�a", completion.ToString());
    }
}
