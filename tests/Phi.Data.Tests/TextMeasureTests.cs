using System.Text;
using CsCheck;
using Phi.Data.Quality;

namespace Phi.Data.Tests;

/// <summary>What the simple rules measure.</summary>
public sealed class TextMeasureTests
{
    private static readonly string[] Parts = ["#", "'", "\"\"\"", "\\", "\n", "r", "(", ")", "x", " ", "é"];

    [Theory]
    [InlineData("", 0, 1, 0, 0)]
    [InlineData("ab\n", 3, 1, 2, 2)]
    [InlineData("ab\n\ncde", 7, 3, 3, 5)]
    [InlineData("é ß—7\n", 6, 1, 5, 3)]
    [InlineData("日本\nx", 4, 2, 2, 3)]
    public void Of_Text_CountsCharactersLinesAndLetters(string text, int characters, int lines, int longest, int alphanumeric)
    {
        var measure = TextMeasure.Of(Encoding.UTF8.GetBytes(text));

        Assert.Equal((true, characters, lines, longest, alphanumeric), (measure.IsText, measure.Characters, measure.Lines, measure.LongestLine, measure.Alphanumeric));
    }

    [Fact]
    public void Of_LinesOfSeveralLengths_HasTheirMean() => Assert.Equal(2, TextMeasure.Of("a\nbbb\ncc"u8).MeanLine);

    [Fact]
    public void Of_BytesThatAreNoText_SaysSoAndCountsThem()
    {
        Assert.Equal((false, 3), (TextMeasure.Of([0xff, (byte)'a', 0xc3]).IsText, TextMeasure.Of([0xff, (byte)'a', 0xc3]).Characters));
        Assert.False(TextMeasure.Of("a\0b"u8).IsText);
    }

    [Fact]
    public void Of_AnyBytes_AgreesWithTheFrameworksDecoder() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: false).GetString(bytes);
        var isValid = System.Text.Unicode.Utf8.IsValid(bytes);
        var measure = TextMeasure.Of(bytes);

        Assert.Equal(isValid && !bytes.Contains((byte)0), measure.IsText);
        Assert.InRange(measure.AlphanumericShare, 0, 1);
        if (isValid)
        {
            Assert.Equal(text.EnumerateRunes().Count(), measure.Characters);
        }
    });

    [Theory]
    [InlineData("# abc\n", 4, 0, 0)]
    [InlineData("x = '# no'\n", 0, 0, 5)]
    [InlineData("x = \"\"\"a\n# no\n\"\"\" # c\n", 2, 0, 10)]
    [InlineData("def f():\n    '''doc string'''\n", 0, 15, 0)]
    [InlineData("f(\n  'no doc',\n)\n", 0, 0, 7)]
    [InlineData("r'\\' # c'\n", 0, 7, 0)]
    [InlineData("x = rb'a' + f\"b\" # c\n", 2, 0, 9)]
    [InlineData("x = 'not closed # no\ny # c\n", 2, 0, 13)]
    [InlineData("x = '''never closed # no\n", 0, 0, 17)]
    public void OfPython_Text_TellsCommentsDocstringsAndStringsApart(string text, int comments, int docstrings, int strings)
    {
        var measure = PythonMeasure.Of(Encoding.UTF8.GetBytes(text));

        Assert.Equal((comments, docstrings, strings), (measure.Comments, measure.Docstrings, measure.Strings));
    }

    [Fact]
    public void OfPython_AnyBytes_CountsNoMoreThanThereAre() => Gen.Int[0, Parts.Length - 1].Array[0, 40].Sample(parts =>
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(parts.Select(part => Parts[part])));
        var measure = PythonMeasure.Of(bytes);

        Assert.InRange(measure.Comments + measure.Docstrings + measure.Strings, 0, measure.Bytes);
        Assert.InRange(measure.CommentShare, 0, 1);
    });
}
