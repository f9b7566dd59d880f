using Phi.Docs.Tests.Markdown;

namespace Phi.Docs.Tests;

/// <summary>The tutorial does what it says.</summary>
public sealed class TutorialTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("phi-tutorial-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Tutorial_EveryCommand_DoesWhatThePageShows()
    {
        // Files are written beside the clone, so that a run leaves none in it.
        foreach (var name in new[] { "phi", "docs", "operators" })
        {
            File.CreateSymbolicLink(Path.Combine(_folder, name), Path.Combine(Repository.Root, name));
        }

        var path = $"{Path.GetDirectoryName(ProgramHelp.Find("kubectl"))}:{Environment.GetEnvironmentVariable("PATH")}";
        await using var tutorial = new Tutorial(_folder, new Dictionary<string, string> { ["PHI_HOME"] = Path.Combine(_folder, "home"), ["PATH"] = path });
        try
        {
            // What is built at the first call is told there, where the page does not show it.
            Assert.Equal(0, (await tutorial.RunAsync("./phi --version", TestContext.Current.CancellationToken)).Code);
            await tutorial.RunAsync(Page.Read("docs/tutorial.md"), TestContext.Current.CancellationToken);
        }
        finally
        {
            await tutorial.RunAsync("./phi down", CancellationToken.None);
        }

        Assert.Equal(["docs", "home", "operators", "phi"], Directory.EnumerateFileSystemEntries(_folder).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("echo a\nfalse\necho b", 1, "a\n")]
    [InlineData("false | cat\necho b", 1, "")]
    [InlineData("x=$(false)\necho b", 1, "")]
    [InlineData("cat <<EOF\na $((1 + 1))\nEOF\nif false; then echo no; fi", 0, "a 2\n")]
    public async Task Run_AScript_EndsAtTheFirstCommandThatFails(string script, int code, string output)
    {
        await using var tutorial = new Tutorial(_folder, new Dictionary<string, string>());

        var (ended, printed) = await tutorial.RunAsync(script, TestContext.Current.CancellationToken);

        Assert.Equal((code, output), (ended, printed[..^1]));
        Assert.Equal(0, (await tutorial.RunAsync("true", TestContext.Current.CancellationToken)).Code);
    }

    [Theory]
    [InlineData("a … c\n", "a b c\n", true)]
    [InlineData("a  b\n", "a    b\n", true)]
    [InlineData("a\n…\nd\n", "a\nb\nc\nd\n", true)]
    [InlineData("a\nb\n", "a\n", false)]
    [InlineData("a … c\n", "a b d\n", false)]
    public void Matches_WhatAPageShows(string expected, string output, bool matches) => Assert.Equal(matches, Tutorial.Matches(expected, output));
}
