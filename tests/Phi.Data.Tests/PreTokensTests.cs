using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Phi.Data.Tokenizers;

namespace Phi.Data.Tests;

/// <summary>The cut into words is that of GPT-2's expression.</summary>
public sealed partial class PreTokensTests
{
    [Fact]
    public void Next_AnyTextOfTheBasicPlane_CutsAsTheExpression()
    {
        var characters = Gen.OneOf([.. " \n\t\r\u0085\u00a0\u2003\u3000'stmrevld aZ09_+.(é²½日語"]);
        var any = Gen.Char.Where(c => !char.IsSurrogate(c));
        Gen.OneOf(characters, characters, any).Array[0, 40].Sample(
            text => Assert.Equal(Gpt2Words().Matches(new string(text)).Select(match => match.Value), Cut(Encoding.UTF8.GetBytes(text)).Select(Encoding.UTF8.GetString)), iter: 20_000);
    }

    [Theory]
    [InlineData("def f(x):\n    return x's", "def| f|(|x|):|\n   | return| x|'s")]
    [InlineData("a  \n", "a|  \n")]
    [InlineData("𝐀𝐁 x𝐂", "𝐀𝐁| x𝐂")]
    [InlineData("", "")]
    public void Next_Examples_AreCutSo(string text, string expected) => Assert.Equal(expected, string.Join('|', Cut(Encoding.UTF8.GetBytes(text)).Select(Encoding.UTF8.GetString)));

    [Fact]
    public void Next_BytesThatAreNoUtf8_AreNeitherLettersNorSpaces() =>
        Assert.Equal([[(byte)'a'], [0xff, 0xc3], [(byte)' ', 0x80], [(byte)'b']], Cut([(byte)'a', 0xff, 0xc3, (byte)' ', 0x80, (byte)'b']));

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2Words();

    private static List<byte[]> Cut(byte[] text)
    {
        var words = new List<byte[]>();
        for (var at = 0; at < text.Length; at += words[^1].Length)
        {
            words.Add(text[at..(at + PreTokens.Next(text.AsSpan(at)))]);
        }

        return words;
    }
}
