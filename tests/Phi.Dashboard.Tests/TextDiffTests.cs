using Bunit;
using Phi.Dashboard.Components.Controls;

namespace Phi.Dashboard.Tests;

public sealed class TextDiffTests : IDisposable
{
    private readonly BunitContext _context = new();

    public void Dispose() => _context.Dispose();

    [Fact]
    public void Render_TwoTexts_ShowsChangedLinesWithThreeAround()
    {
        var old = string.Join('\n', Enumerable.Range(1, 12).Select(line => $"line {line}"));

        var page = Render(old, old.Replace("line 6", "other", StringComparison.Ordinal));

        Assert.Equal(["  line 3", "  line 4", "  line 5", "gone: - line 6", "new: + other", "  line 7", "  line 8", "  line 9"], page.FindAll(".phi-diff > div").Select(line => line.TextContent).SkipWhile(line => line == "  …"));
    }

    [Fact]
    public void Render_TheSameText_SaysSo() => Assert.Contains("There is no difference.", Render("a\nb", "a\nb").Markup, StringComparison.Ordinal);

    private IRenderedComponent<TextDiff> Render(string old, string @new) => _context.Render<TextDiff>(parameters => parameters.Add(diff => diff.Label, "Difference").Add(diff => diff.Old, old).Add(diff => diff.New, @new));
}
