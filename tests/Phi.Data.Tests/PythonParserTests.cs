using System.Text;
using Phi.Data.Quality;

namespace Phi.Data.Tests;

/// <summary>Documents before a real python3.</summary>
public sealed class PythonParserTests
{
    [Fact]
    public async Task Parses_DocumentsOfEveryKind_SaysWhichArePython()
    {
        using var parser = await PythonParser.StartAsync(CancellationToken.None);
        var marker = Path.Combine(Path.GetTempPath(), $"phi-parsed-{Guid.NewGuid():N}");

        Assert.StartsWith("3.", parser.Version, StringComparison.Ordinal);
        Assert.True(await ParsesAsync(""));
        Assert.True(await ParsesAsync("\uFEFFx = 1\r\n"));
        Assert.True(await ParsesAsync("# -*- coding: no-such-codec -*-\nx = 'é'\n"));
        Assert.True(await ParsesAsync($"open({Quoted(marker)}, 'w')\nimport no_such_module\n"));
        Assert.False(File.Exists(marker));
        Assert.False(await ParsesAsync("print 'two'\n"));
        Assert.False(await ParsesAsync("x = (\n"));
        Assert.False(await ParsesAsync("x\0"));
        Assert.False(await parser.ParsesAsync([0xff, 0xfe], "a", CancellationToken.None));
        Assert.False(await ParsesAsync(new string('(', 100_000)));
        Assert.False(await ParsesAsync("x = 1\n" + new string('#', PythonParser.MostBytes)));
        Assert.True(await ParsesAsync("still = 'there'\n"));

        Task<bool> ParsesAsync(string text) => parser.ParsesAsync(Encoding.UTF8.GetBytes(text), "a.py", CancellationToken.None);
        static string Quoted(string path) => $"'{path}'";
    }

    [Fact]
    public async Task Parses_ManyAtOnce_AnswersEach()
    {
        using var parser = await PythonParser.StartAsync(CancellationToken.None);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => parser.ParsesAsync(Encoding.UTF8.GetBytes(i % 3 == 0 ? $"x = {i}" : $"x = ({i}"), "a", CancellationToken.None)));

        Assert.Equal(Enumerable.Range(0, 200).Select(i => i % 3 == 0), answers);
    }

    [Fact]
    public async Task Parses_Cancelled_Ends()
    {
        using var parser = await PythonParser.StartAsync(CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parser.ParsesAsync("x"u8.ToArray(), "a", cancel.Token));
    }
}
